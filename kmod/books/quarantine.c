// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is kept out as bad: a mark on subblocks, whatever their state. Marked memory that is plugged
 * is wanted, until target.c has it; then nothing gives it back until the mark is taken away: no
 * PLUG, no lack of memory, no target. It may go offline, and is taken again when it is back.
 */
#include <linux/bitmap.h>
#include <linux/minmax.h>
#include <linux/sched.h>

#include "books/private.h"

static void set_mark(unsigned long index, bool marked)
{
	__assign_bit(index, memplug_books.maps.quarantined, marked);
	memplug_books.quarantined += marked ? 1 : -1;
}

/*
 * Marked, and in a state that a claim or a release has just left it in: is it to be taken? What is
 * busy still will be asked about when it is not.
 */
void memplug_books_want_quarantined(unsigned long index)
{
	const struct region_maps *maps = &memplug_books.maps;

	lockdep_assert_held(&memplug_books.lock);
	if (test_bit(index, maps->quarantined) && !test_bit(index, maps->busy) &&
	    !test_bit(index, maps->unplugged))
		memplug_books_set_wanted(index, true);
}

static bool mark(unsigned long index)
{
	const struct region_maps *maps = &memplug_books.maps;

	/* what is in none of these states went offline, or away, since somebody looked */
	if (test_bit(index, maps->quarantined) ||
	    !(test_bit(index, maps->managed) || test_bit(index, maps->wanted) ||
	      test_bit(index, maps->leaving)))
		return false;
	set_mark(index, true);
	/* no descriptor's any more, and no running request's */
	memplug_books_own(index, NULL);
	memplug_books_want_quarantined(index);
	return true;
}

static bool unmark(unsigned long index)
{
	if (!test_bit(index, memplug_books.maps.quarantined))
		return false;
	set_mark(index, false);
	memplug_books_set_wanted(index, false);
	return true;
}

static unsigned long change_some(struct subblock_run run, bool quarantined)
{
	unsigned long i, lasting, changed = 0;

	spin_lock(&memplug_books.lock);
	lasting = books_lasting();
	for (i = run.first; i < run.first + run.nr; i++)
		changed += quarantined ? mark(i) : unmark(i);
	memplug_books_move_target(lasting);
	if (changed)
		books_changed((struct memplug_event){
			.type = MEMPLUG_EVENT_QUARANTINE,
			.node = NUMA_NO_NODE,
			.start = subblock_address(run.first),
			.length = run.nr * subblock_bytes(),
			.value = memplug_books.quarantined * subblock_bytes(),
		});
	spin_unlock(&memplug_books.lock);
	return changed;
}

/**
 * memplug_region_quarantine - begin or end to keep memory out as bad
 * @run: subblocks; what is not managed, and not wanted either, is left out
 * @quarantined: begin
 *
 * What is plugged is wanted from then on, or no longer; the target moves along. What is unplugged
 * stays so, tied to nobody.
 *
 * Context: sleeps.
 *
 * Return: how many subblocks were not so before.
 */
unsigned long memplug_region_quarantine(struct subblock_run run, bool quarantined)
{
	struct subblock_run rest = books_known(run);
	unsigned long changed = 0;

	while (rest.nr) {
		changed += change_some(books_step(&rest), quarantined);
		cond_resched();
	}
	return changed;
}

/**
 * memplug_region_quarantined - how much is kept out, or is to be
 * @within: the run to look at
 * @unplugged: result: how many subblocks of that are unplugged
 *
 * Return: how many are marked.
 */
unsigned long memplug_region_quarantined(struct subblock_run within, unsigned long *unplugged)
{
	const struct region_maps *maps = &memplug_books.maps;
	unsigned long i, end, bits, marked = 0;

	*unplugged = 0;
	spin_lock(&memplug_books.lock);
	within = books_known(within);
	end = within.first + within.nr;
	for (i = within.first; i < end; i = round_down(i, BITS_PER_LONG) + BITS_PER_LONG) {
		bits = maps->quarantined[BIT_WORD(i)] & BITMAP_FIRST_WORD_MASK(i);
		if (BIT_WORD(i) == BIT_WORD(end - 1))
			bits &= BITMAP_LAST_WORD_MASK(end);
		marked += hweight_long(bits);
		*unplugged += hweight_long(bits & maps->unplugged[BIT_WORD(i)]);
	}
	spin_unlock(&memplug_books.lock);
	return marked;
}

/** memplug_region_any_quarantined - is anything marked */
bool memplug_region_any_quarantined(void)
{
	return READ_ONCE(memplug_books.quarantined);
}

static unsigned long to_retake(unsigned long word)
{
	const struct region_maps *maps = &memplug_books.maps;

	return maps->quarantined[word] & maps->managed[word] & ~maps->unplugged[word] &
	       ~maps->busy[word];
}

/**
 * memplug_region_next_to_retake - find marked memory that has come back
 * @index: where to start
 *
 * Return: the first subblock from there on that is marked and plugged, or ULONG_MAX.
 */
unsigned long memplug_region_next_to_retake(unsigned long index)
{
	unsigned long nr;

	spin_lock(&memplug_books.lock);
	nr = memplug_books.nr;
	index = books_find(to_retake, index, nr);
	spin_unlock(&memplug_books.lock);
	return index < nr ? index : ULONG_MAX;
}
