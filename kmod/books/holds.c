// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who holds on to what is unplugged: a range may be tied to a descriptor, and it may be mapped.
 * Until that is over it is plugged for nobody else, and its memory block does not go offline.
 * What a request takes is nobody else's either as long as the request may have to give it back.
 */
#include <linux/bitmap.h>
#include <linux/minmax.h>
#include <linux/sched.h>

#include "books/private.h"

/* The number of the descriptor that a subblock is tied to, or 0. */
static u8 tied_to(unsigned long index)
{
	const struct region_maps *maps = &memplug_books.maps;

	return test_bit(index, maps->tied) ? maps->owners[index] : 0;
}

/* Does a range end below this one, in the list, that is alike in all that has a map of its own? */
void memplug_books_update_edge(unsigned long index)
{
	const struct region_maps *maps = &memplug_books.maps;
	bool edge;

	lockdep_assert_held(&memplug_books.lock);
	if (index >= memplug_books.nr)
		return;
	edge = index && (test_bit(index, maps->seams) || tied_to(index) != tied_to(index - 1));
	__assign_bit(index, maps->edges, edge);
}

static void leave_one(struct region_owner *owner)
{
	owner->nr--;
	if (!owner->nr)
		owner->due = true;
}

static void set_owner(unsigned long index, u8 number)
{
	struct region_maps *maps = &memplug_books.maps;
	u8 before = maps->owners[index];

	if (before)
		leave_one(memplug_books.owners[before]);
	if (number)
		memplug_books.owners[number]->nr++;
	maps->owners[index] = number;
	__assign_bit(index, maps->tied, number && number <= REGION_MAX_DESCRIPTORS);
	memplug_books_update_edge(index);
	memplug_books_update_edge(index + 1);
}

/* A subblock has just been taken on somebody's behalf, or is nobody's if that is NULL. */
void memplug_books_own(unsigned long index, const struct region_owner *owner)
{
	u8 number = owner ? owner->number : 0;

	lockdep_assert_held(&memplug_books.lock);
	__assign_bit(index, memplug_books.maps.unsettled, owner);
	if (memplug_books.maps.owners[index] != number)
		set_owner(index, number);
}

/* Is anything from @first to before @end tied or mapped? */
bool memplug_books_any_held(unsigned long first, unsigned long end)
{
	const struct region_maps *maps = &memplug_books.maps;

	lockdep_assert_held(&memplug_books.lock);
	return first < end && (find_next_bit(maps->tied, end, first) < end ||
			       find_next_bit(maps->mapped, end, first) < end);
}

/**
 * memplug_region_enter_owner - a descriptor is about to have ranges tied to it, or a request to
 * take some
 * @owner: which of both, and a descriptor's opener; the rest is filled in. The books have it until
 *         memplug_region_put_closed(), or a request until memplug_region_leave_owner()
 *
 * Return: 0, or -EUSERS if there are REGION_MAX_DESCRIPTORS or REGION_MAX_REQUESTS already.
 */
int memplug_region_enter_owner(struct region_owner *owner)
{
	unsigned int number = owner->is_request ? REGION_MAX_DESCRIPTORS + 1 : 1;
	unsigned int last = owner->is_request ? REGION_MAX_OWNERS : REGION_MAX_DESCRIPTORS;
	int ret = 0;

	owner->nr = 0;
	owner->closed = false;
	owner->taken = false;
	owner->due = false;
	spin_lock(&memplug_books.lock);
	while (number <= last && memplug_books.owners[number])
		number++;
	if (number > last) {
		ret = -EUSERS;
	} else {
		owner->number = number;
		memplug_books.owners[number] = owner;
	}
	spin_unlock(&memplug_books.lock);
	return ret;
}

/**
 * memplug_region_close_owner - the descriptor is gone; memplug_region_take_closed() finds the owner
 * from now on
 * @owner: may be freed by whoever does, at once
 */
void memplug_region_close_owner(struct region_owner *owner)
{
	spin_lock(&memplug_books.lock);
	owner->closed = true;
	owner->due = true;
	spin_unlock(&memplug_books.lock);
}

/* Is there something to be done for it: to give back, or to forget it? */
static bool is_due(const struct region_owner *owner)
{
	return owner && owner->closed && owner->due && !owner->taken;
}

/**
 * memplug_region_take_closed - find a closed owner that something is to be done for
 *
 * Return: the owner, the caller's alone until memplug_region_put_closed(), or NULL. What of it is
 * not mapped is to be given back. It is found again only if more becomes free for that, which may
 * be before memplug_region_put_closed().
 */
struct region_owner *memplug_region_take_closed(void)
{
	struct region_owner *owner = NULL;
	unsigned int number;

	spin_lock(&memplug_books.lock);
	for (number = 1; number <= REGION_MAX_DESCRIPTORS && !owner; number++)
		if (is_due(memplug_books.owners[number]))
			owner = memplug_books.owners[number];
	if (owner) {
		owner->taken = true;
		owner->due = false;
	}
	spin_unlock(&memplug_books.lock);
	return owner;
}

/**
 * memplug_region_put_closed - end memplug_region_take_closed()
 * @owner: the owner
 *
 * Return: whether nothing is tied to it any more: the books have forgotten it, and the caller
 * frees it.
 */
bool memplug_region_put_closed(struct region_owner *owner)
{
	bool over;

	spin_lock(&memplug_books.lock);
	owner->taken = false;
	over = !owner->nr;
	if (over)
		memplug_books.owners[owner->number] = NULL;
	spin_unlock(&memplug_books.lock);
	return over;
}

static unsigned long tied_and_not_mapped(unsigned long word)
{
	return memplug_books.maps.tied[word] & ~memplug_books.maps.mapped[word];
}

/* Looks at some from @index on, and leaves there what it has found, or where to go on. */
static bool find_tied(const struct region_owner *owner, unsigned long *index)
{
	unsigned long i, end;

	spin_lock(&memplug_books.lock);
	end = min(*index + BOOKS_STEP, memplug_books.nr);
	for (i = books_find(tied_and_not_mapped, *index, end); i < end;
	     i = books_find(tied_and_not_mapped, i + 1, end))
		if (memplug_books.maps.owners[i] == owner->number)
			break;
	spin_unlock(&memplug_books.lock);
	*index = i;
	return i < end;
}

/**
 * memplug_region_next_tied - find what is tied to an owner, and not mapped
 * @owner: the owner
 * @index: where to start
 *
 * Return: the first such subblock from there on, or ULONG_MAX.
 */
unsigned long memplug_region_next_tied(const struct region_owner *owner, unsigned long index)
{
	while (index < memplug_region_nr())
		if (find_tied(owner, &index))
			return index;
	return ULONG_MAX;
}

/* An owner gives back what went offline, or is about to, or has come back and is plugged. */
static void give_up_absent(unsigned long index)
{
	unsigned long lasting = books_lasting();

	memplug_books_own(index, NULL);
	if (!test_bit(index, memplug_books.maps.wanted))
		return;
	memplug_books_set_wanted(index, false);
	memplug_books_move_target(lasting);
	books_changed_wanted();
}

/**
 * memplug_region_reserve_owned - make a subblock busy that is to be plugged, on behalf of its owner
 * @index: subblock
 * @owner: whose it has to be
 *
 * What of the owner's is not unplugged any more, as its memory block went offline or is about to,
 * is given back by this alone: it is nobody's, and not wanted when the block stays or comes back.
 *
 * Return: whether it is reserved; else that, or it is mapped, or not the owner's (any more). A
 * reservation ends with memplug_region_commit() or memplug_region_abort().
 */
bool memplug_region_reserve_owned(unsigned long index, const struct region_owner *owner)
{
	struct region_maps *maps = &memplug_books.maps;
	bool ok;

	spin_lock(&memplug_books.lock);
	ok = index < memplug_books.nr && maps->owners[index] == owner->number &&
	     !test_bit(index, maps->mapped) && !test_bit(index, maps->busy);
	if (ok && !test_bit(index, maps->unplugged)) {
		give_up_absent(index);
		ok = false;
	}
	if (ok)
		__set_bit(index, maps->busy);
	spin_unlock(&memplug_books.lock);
	return ok;
}

/**
 * memplug_region_untie - a subblock is ordinary from now on
 * @index: unplugged
 */
void memplug_region_untie(unsigned long index)
{
	spin_lock(&memplug_books.lock);
	memplug_books_own(index, NULL);
	spin_unlock(&memplug_books.lock);
}

/* Settles what of a step's is an owner's. */
static void settle_some(const struct region_owner *owner, struct subblock_run some)
{
	struct region_maps *maps = &memplug_books.maps;
	unsigned long end = some.first + some.nr;
	unsigned long i;

	spin_lock(&memplug_books.lock);
	for (i = find_next_bit(maps->unsettled, end, some.first); i < end;
	     i = find_next_bit(maps->unsettled, end, i + 1)) {
		if (maps->owners[i] != owner->number)
			continue;
		if (owner->is_request)
			memplug_books_own(i, NULL);
		else
			__clear_bit(i, maps->unsettled);
	}
	spin_unlock(&memplug_books.lock);
}

/**
 * memplug_region_settle - a request will not give back any more what it has taken
 * @owner: the request, and what it has taken is ordinary; or the descriptor that it is tied to
 *
 * Context: sleeps.
 */
void memplug_region_settle(const struct region_owner *owner)
{
	struct subblock_run rest = { .first = 0, .nr = memplug_region_nr() };

	while (rest.nr) {
		settle_some(owner, books_step(&rest));
		cond_resched();
	}
}

/**
 * memplug_region_leave_owner - the books forget a request that has memplug_region_enter_owner()
 * behind it
 * @owner: settled
 */
void memplug_region_leave_owner(struct region_owner *owner)
{
	spin_lock(&memplug_books.lock);
	memplug_books.owners[owner->number] = NULL;
	spin_unlock(&memplug_books.lock);
}

/**
 * memplug_region_map - a mapping is about to show some memory
 * @mapping: with its run filled in; the books have it until memplug_region_unmap()
 *
 * From then on the run is held, and its contents are nobody's but the mapping's.
 *
 * Return: 0; -ENXIO if not all of it is unplugged; -EBUSY if some of it is about to be plugged, or
 * may be as the request that took it still runs; -ENOMEM if there are REGION_MAX_MAPPINGS already.
 */
int memplug_region_map(struct region_mapping *mapping)
{
	struct region_maps *maps = &memplug_books.maps;
	struct subblock_run run = mapping->run;
	unsigned long end = run.first + run.nr;
	int ret = 0;

	spin_lock(&memplug_books.lock);
	if (end > memplug_books.nr || end < run.first ||
	    find_next_zero_bit(maps->unplugged, end, run.first) < end)
		ret = -ENXIO;
	else if (find_next_bit(maps->busy, end, run.first) < end ||
		 find_next_bit(maps->unsettled, end, run.first) < end)
		ret = -EBUSY;
	else if (memplug_books.nr_mappings >= REGION_MAX_MAPPINGS)
		ret = -ENOMEM;
	if (!ret) {
		memplug_books.nr_mappings++;
		list_add(&mapping->list, &memplug_books.mappings);
		bitmap_set(maps->mapped, run.first, run.nr);
	}
	spin_unlock(&memplug_books.lock);
	return ret;
}

/* Whose is there that no mapping shows, of a run that one has shown? */
static void tell_owners(struct subblock_run run)
{
	const struct region_maps *maps = &memplug_books.maps;
	unsigned long end = run.first + run.nr;
	unsigned long i;

	for (i = find_next_bit(maps->tied, end, run.first); i < end;
	     i = find_next_bit(maps->tied, end, i + 1))
		if (!test_bit(i, maps->mapped))
			memplug_books.owners[maps->owners[i]]->due = true;
}

/* A mapping that is not of the books any more has shown this run; others may do so still. */
static void unmap_some(struct subblock_run run)
{
	struct region_maps *maps = &memplug_books.maps;
	const struct region_mapping *other;
	unsigned long first, end;

	lockdep_assert_held(&memplug_books.lock);
	bitmap_clear(maps->mapped, run.first, run.nr);
	list_for_each_entry(other, &memplug_books.mappings, list) {
		first = max(run.first, other->run.first);
		end = min(run.first + run.nr, other->run.first + other->run.nr);
		if (first < end)
			bitmap_set(maps->mapped, first, end - first);
	}
	tell_owners(run);
}

/**
 * memplug_region_unmap - the mapping is gone
 * @mapping: of memplug_region_map()
 *
 * Until this returns, some of the run may still be held as if it were mapped. What others map
 * meanwhile is among the mappings that each step looks at.
 *
 * Context: sleeps; the caller may hold an mmap_lock.
 */
void memplug_region_unmap(struct region_mapping *mapping)
{
	struct subblock_run rest = mapping->run;

	spin_lock(&memplug_books.lock);
	memplug_books.nr_mappings--;
	list_del(&mapping->list);
	spin_unlock(&memplug_books.lock);
	while (rest.nr) {
		spin_lock(&memplug_books.lock);
		unmap_some(books_step(&rest));
		spin_unlock(&memplug_books.lock);
		cond_resched();
	}
}

/**
 * memplug_region_hold - why a subblock can't be plugged
 * @index: unplugged, but not to be reserved
 *
 * Return: MEMPLUG_REASON_*: BUSY if nobody holds it.
 */
u32 memplug_region_hold(unsigned long index)
{
	u32 reason = MEMPLUG_REASON_BUSY;

	spin_lock(&memplug_books.lock);
	if (index < memplug_books.nr) {
		if (test_bit(index, memplug_books.maps.quarantined))
			reason = MEMPLUG_REASON_QUARANTINED;
		else if (test_bit(index, memplug_books.maps.mapped))
			reason = MEMPLUG_REASON_MAPPED;
		else if (test_bit(index, memplug_books.maps.tied))
			reason = MEMPLUG_REASON_HELD;
	}
	spin_unlock(&memplug_books.lock);
	return reason;
}

/**
 * memplug_region_is_zeroed - is nothing left in a mapped subblock of whoever had it before
 * @index: subblock
 */
bool memplug_region_is_zeroed(unsigned long index)
{
	bool zeroed;

	spin_lock(&memplug_books.lock);
	zeroed = test_bit(index, memplug_books.maps.zeroed);
	spin_unlock(&memplug_books.lock);
	return zeroed;
}

/**
 * memplug_region_set_zeroed - a mapped subblock has been zeroed; that counts until it is plugged
 * @index: subblock
 */
void memplug_region_set_zeroed(unsigned long index)
{
	spin_lock(&memplug_books.lock);
	__set_bit(index, memplug_books.maps.zeroed);
	spin_unlock(&memplug_books.lock);
}
