// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the books ought to say: the plugged size to work toward, and the memory that was
 * unplugged when its block went offline and is to be again when it comes back.
 *
 * The target is held against what is plugged and not wanted. Whatever changes that number
 * moves the target by as much, so that a request, or memory that comes and goes, is never
 * undone by the worker; only what the worker does itself, and what is given back because the
 * machine is out of memory, does not.
 */
#include <linux/bitmap.h>
#include <linux/minmax.h>
#include <linux/nodemask.h>
#include <linux/sched.h>

#include "books/private.h"

/* Whoever calls this has the target moved, or makes up its mind that it shall not. */
void memplug_books_set_wanted(unsigned long index, bool wanted)
{
	lockdep_assert_held(&memplug_books.lock);
	if (test_bit(index, memplug_books.maps.wanted) == wanted)
		return;
	__assign_bit(index, memplug_books.maps.wanted, wanted);
	memplug_books.wanted += wanted ? 1 : -1;
	if (books_managed(index))
		memplug_books.wanted_here += wanted ? 1 : -1;
	if (test_bit(index, memplug_books.maps.elsewhere))
		memplug_books.wanted_elsewhere += wanted ? 1 : -1;
}

/* Wanted for no other reason than that it was unplugged. */
static unsigned long droppable_here(unsigned long word)
{
	const struct region_maps *maps = &memplug_books.maps;

	return maps->wanted[word] & maps->managed[word] & ~maps->quarantined[word];
}

static unsigned long droppable_absent(unsigned long word)
{
	const struct region_maps *maps = &memplug_books.maps;

	return maps->wanted[word] & ~maps->managed[word] & ~maps->quarantined[word];
}

void memplug_books_move_target(unsigned long lasting_before)
{
	unsigned long lasting = books_lasting();
	unsigned long nr = memplug_books.nr;
	unsigned long i, more;

	if (!memplug_books.has_target)
		return;
	if (lasting >= lasting_before)
		memplug_books.target += lasting - lasting_before;
	else
		memplug_books.target -= min(memplug_books.target, lasting_before - lasting);
	if (memplug_books.target <= memplug_books.managed)
		return;
	/*
	 * Some of what went was about to be plugged: it will be when it comes back. No more than
	 * what goes at a time, or is dropped in a step.
	 */
	more = memplug_books.target - memplug_books.managed;
	memplug_books.target = memplug_books.managed;
	for (i = books_find(droppable_absent, 0, nr); i < nr && more;
	     i = books_find(droppable_absent, i + 1, nr), more--)
		memplug_books_set_wanted(i, false);
}

/**
 * memplug_region_set_target - set the plugged size to work toward
 * @target: in subblocks, or REGION_NO_TARGET
 *
 * Return: 0, or -ERANGE if that is more than is managed.
 */
int memplug_region_set_target(unsigned long target)
{
	bool has_target = target != REGION_NO_TARGET;
	int ret = 0;

	spin_lock(&memplug_books.lock);
	if (has_target && target > memplug_books.managed) {
		ret = -ERANGE;
	} else if (has_target || memplug_books.has_target) {
		memplug_books.has_target = has_target;
		memplug_books.target = target;
		memplug_books.target_state = has_target ? MEMPLUG_TARGET_WORKING :
							 MEMPLUG_TARGET_NONE;
		books_changed_value(MEMPLUG_EVENT_TARGET,
				    has_target ? target * subblock_bytes() : MEMPLUG_NO_TARGET);
	}
	spin_unlock(&memplug_books.lock);
	return ret;
}

/**
 * memplug_region_set_target_state - tell how far the worker is
 * @state: MEMPLUG_TARGET_* but NONE
 * @generation: of the aim that this is about: if that has changed, it is no news any more
 */
void memplug_region_set_target_state(u32 state, u64 generation)
{
	spin_lock(&memplug_books.lock);
	if (memplug_books.has_target && memplug_books.generation == generation &&
	    memplug_books.target_state != state) {
		memplug_books.target_state = state;
		books_changed_value(MEMPLUG_EVENT_TARGET_STATE, state);
	}
	spin_unlock(&memplug_books.lock);
}

/* Wanted subblocks that are managed, and need not be unplugged if the target says otherwise. */
static unsigned long count_droppable(void)
{
	unsigned long i, count = 0;

	if (!memplug_books.quarantined)
		return memplug_books.wanted_here;
	for (i = 0; i < BITS_TO_LONGS(memplug_books.nr); i++)
		count += hweight_long(droppable_here(i));
	return count;
}

/**
 * memplug_region_read_aim - what ought to be, beside what is
 * @aim: result, consistent in itself
 */
void memplug_region_read_aim(struct region_aim *aim)
{
	spin_lock(&memplug_books.lock);
	aim->target = memplug_books.has_target ? memplug_books.target : REGION_NO_TARGET;
	aim->lasting = books_lasting();
	aim->wanted_here = memplug_books.wanted_here;
	aim->droppable_here = count_droppable();
	aim->wanted_absent = memplug_books.wanted - memplug_books.wanted_here;
	aim->generation = memplug_books.generation;
	spin_unlock(&memplug_books.lock);
}

static void drop_step(struct subblock_run within, int nid)
{
	unsigned long end = within.first + within.nr;
	unsigned long i, before, lasting;

	spin_lock(&memplug_books.lock);
	before = memplug_books.wanted;
	lasting = books_lasting();
	for (i = find_next_bit(memplug_books.maps.wanted, end, within.first); i < end;
	     i = find_next_bit(memplug_books.maps.wanted, end, i + 1))
		if (!test_bit(i, memplug_books.maps.quarantined) &&
		    (nid == NUMA_NO_NODE || (books_managed(i) && books_node(i) == nid)))
			memplug_books_set_wanted(i, false);
	memplug_books_move_target(lasting);
	if (before != memplug_books.wanted)
		books_changed_wanted();
	spin_unlock(&memplug_books.lock);
}

/**
 * memplug_region_drop_wanted - what is wanted in a stretch is not any more
 * @within: the stretch
 * @nid: only what is managed of this node, or NUMA_NO_NODE
 *
 * But for what is quarantined. An answer to someone's request: the target moves along. In steps:
 * what none has come to yet is wanted as before, and may be unplugged for that, or go offline.
 *
 * Context: sleeps.
 */
void memplug_region_drop_wanted(struct subblock_run within, int nid)
{
	struct subblock_run rest = books_known(within);

	while (rest.nr) {
		drop_step(books_step(&rest), nid);
		cond_resched();
	}
}

/* Returns where to go on; *@nr is what is left to be dropped. */
static unsigned long drop_here_step(unsigned long index, unsigned long *nr)
{
	unsigned long i, end, before;

	spin_lock(&memplug_books.lock);
	before = memplug_books.wanted;
	end = min(index + BOOKS_STEP, memplug_books.nr);
	for (i = books_find(droppable_here, index, end); i < end && *nr;
	     i = books_find(droppable_here, i + 1, end), --*nr)
		memplug_books_set_wanted(i, false);
	if (before != memplug_books.wanted)
		books_changed_wanted();
	spin_unlock(&memplug_books.lock);
	return i;
}

/**
 * memplug_region_drop_wanted_here - some of what is wanted, plugged and not quarantined may stay so
 * @nr: how many subblocks, from the lowest up
 *
 * For the sake of the target, which does not move.
 *
 * Context: sleeps.
 */
void memplug_region_drop_wanted_here(unsigned long nr)
{
	unsigned long i = 0;

	while (nr && i < memplug_region_nr()) {
		i = drop_here_step(i, &nr);
		cond_resched();
	}
}

static unsigned long wanted_and_absent(unsigned long word)
{
	return memplug_books.maps.wanted[word] & ~memplug_books.maps.managed[word];
}

/**
 * memplug_region_next_absent - find memory that is wanted and not there
 * @index: where to start
 *
 * Return: the first subblock from there on that is wanted and not managed, or ULONG_MAX.
 */
unsigned long memplug_region_next_absent(unsigned long index)
{
	unsigned long nr;

	spin_lock(&memplug_books.lock);
	nr = memplug_books.nr;
	index = books_find(wanted_and_absent, index, nr);
	spin_unlock(&memplug_books.lock);
	return index < nr ? index : ULONG_MAX;
}

/**
 * memplug_region_keep_wanted - leave in a map what is wanted
 * @map: bitmap
 * @nr: bits in it
 */
void memplug_region_keep_wanted(unsigned long *map, unsigned long nr)
{
	spin_lock(&memplug_books.lock);
	/* the map may be older, and shorter, than the books, but never longer */
	bitmap_and(map, map, memplug_books.maps.wanted, nr);
	spin_unlock(&memplug_books.lock);
}
