// SPDX-License-Identifier: GPL-2.0
/*
 * Who holds on to what is unplugged: a range may be tied to a descriptor, and it may be mapped.
 * Until that is over it is plugged for nobody else, and its memory block does not go offline.
 */
#include <linux/bitmap.h>
#include <linux/string.h>

#include "region_books.h"

/* Would a new range begin here, in the list? */
void books_update_edge(unsigned long index)
{
	const struct region_maps *maps = &region_books.maps;
	bool edge;

	lockdep_assert_held(&region_books.lock);
	if (index >= region_books.nr)
		return;
	edge = index && (test_bit(index, maps->seams) ||
			 maps->owners[index] != maps->owners[index - 1] ||
			 test_bit(index, maps->mapped) != test_bit(index - 1, maps->mapped));
	__assign_bit(index, maps->edges, edge);
}

/* Ties a subblock to an owner, or to none if that is 0. */
void books_tie(unsigned long index, u8 owner)
{
	struct region_maps *maps = &region_books.maps;
	u8 before = maps->owners[index];

	lockdep_assert_held(&region_books.lock);
	if (before == owner)
		return;
	if (before)
		region_books.owners[before]->nr--;
	if (owner)
		region_books.owners[owner]->nr++;
	maps->owners[index] = owner;
	__assign_bit(index, maps->tied, owner);
	books_update_edge(index);
	books_update_edge(index + 1);
}

/* Is anything from @first to before @end tied or mapped? */
bool books_any_held(unsigned long first, unsigned long end)
{
	const struct region_maps *maps = &region_books.maps;

	lockdep_assert_held(&region_books.lock);
	return first < end && (find_next_bit(maps->tied, end, first) < end ||
			       find_next_bit(maps->mapped, end, first) < end);
}

/**
 * region_enter_owner - a descriptor is about to have ranges tied to it
 * @owner: with its opener; the rest is filled in. The books have it until region_put_closed()
 *
 * Return: 0, or -EUSERS if there are REGION_MAX_OWNERS already.
 */
int region_enter_owner(struct region_owner *owner)
{
	unsigned int number = 1;
	int ret = 0;

	owner->nr = 0;
	owner->closed = false;
	owner->taken = false;
	spin_lock(&region_books.lock);
	while (number <= REGION_MAX_OWNERS && region_books.owners[number])
		number++;
	if (number > REGION_MAX_OWNERS) {
		ret = -EUSERS;
	} else {
		owner->number = number;
		region_books.owners[number] = owner;
	}
	spin_unlock(&region_books.lock);
	return ret;
}

/**
 * region_close_owner - the descriptor is gone; region_take_closed() finds the owner from now on
 * @owner: may be freed by whoever does, at once
 */
void region_close_owner(struct region_owner *owner)
{
	spin_lock(&region_books.lock);
	owner->closed = true;
	spin_unlock(&region_books.lock);
}

static unsigned long next_tied(const struct region_owner *owner, unsigned long index)
{
	const u8 *owners = region_books.maps.owners;
	const u8 *found;

	if (index >= region_books.nr)
		return ULONG_MAX;
	found = memchr(owners + index, owner->number, region_books.nr - index);
	return found ? (unsigned long)(found - owners) : ULONG_MAX;
}

/* Is there something to be done for it: to give back, or to forget it? */
static bool is_due(const struct region_owner *owner)
{
	unsigned long i;

	if (!owner || !owner->closed || owner->taken)
		return false;
	for (i = next_tied(owner, 0); i != ULONG_MAX; i = next_tied(owner, i + 1))
		if (!test_bit(i, region_books.maps.mapped))
			return true;
	return !owner->nr;
}

/**
 * region_take_closed - find a closed owner that something is to be done for
 *
 * Return: the owner, the caller's alone until region_put_closed(), or NULL. What of it is not
 * mapped is to be given back.
 */
struct region_owner *region_take_closed(void)
{
	struct region_owner *owner = NULL;
	unsigned int number;

	spin_lock(&region_books.lock);
	for (number = 1; number <= REGION_MAX_OWNERS && !owner; number++)
		if (is_due(region_books.owners[number]))
			owner = region_books.owners[number];
	if (owner)
		owner->taken = true;
	spin_unlock(&region_books.lock);
	return owner;
}

/**
 * region_put_closed - end region_take_closed()
 * @owner: the owner
 *
 * Return: whether nothing is tied to it any more: the books have forgotten it, and the caller
 * frees it.
 */
bool region_put_closed(struct region_owner *owner)
{
	bool over;

	spin_lock(&region_books.lock);
	owner->taken = false;
	over = !owner->nr;
	if (over)
		region_books.owners[owner->number] = NULL;
	spin_unlock(&region_books.lock);
	return over;
}

/**
 * region_next_tied - find what is tied to an owner
 * @owner: the owner
 * @index: where to start
 *
 * Return: the first such subblock from there on, or ULONG_MAX.
 */
unsigned long region_next_tied(const struct region_owner *owner, unsigned long index)
{
	spin_lock(&region_books.lock);
	index = next_tied(owner, index);
	spin_unlock(&region_books.lock);
	return index;
}

/**
 * region_reserve_tied - make a subblock busy that is to be plugged, on behalf of its owner
 * @index: subblock
 * @owner: whom it has to be tied to
 *
 * Return: whether it is; else it is mapped, or not the owner's (any more). A reservation ends
 * with region_commit() or region_abort().
 */
bool region_reserve_tied(unsigned long index, const struct region_owner *owner)
{
	struct region_maps *maps = &region_books.maps;
	bool ok;

	spin_lock(&region_books.lock);
	ok = books_managed(index) && maps->owners[index] == owner->number &&
	     !test_bit(index, maps->mapped) && !test_bit(index, maps->busy);
	if (ok)
		__set_bit(index, maps->busy);
	spin_unlock(&region_books.lock);
	return ok;
}

/**
 * region_untie - a subblock is ordinary from now on
 * @index: unplugged
 */
void region_untie(unsigned long index)
{
	spin_lock(&region_books.lock);
	books_tie(index, 0);
	spin_unlock(&region_books.lock);
}

/* One more or one less mapping shows this run; the map says so already. */
static void update_edges(struct subblock_run run)
{
	unsigned long i;

	for (i = run.first; i <= run.first + run.nr; i++)
		books_update_edge(i);
}

/**
 * region_map - a mapping is about to show some memory
 * @mapping: with its run filled in; the books have it until region_unmap()
 *
 * From then on the run is held, and its contents are nobody's but the mapping's.
 *
 * Return: 0; -ENXIO if not all of it is unplugged; -EBUSY if some of it is about to be plugged;
 * -ENOMEM if there are REGION_MAX_MAPPINGS already.
 */
int region_map(struct region_mapping *mapping)
{
	struct region_maps *maps = &region_books.maps;
	struct subblock_run run = mapping->run;
	unsigned long end = run.first + run.nr;
	int ret = 0;

	spin_lock(&region_books.lock);
	if (end > region_books.nr || end < run.first ||
	    find_next_zero_bit(maps->unplugged, end, run.first) < end)
		ret = -ENXIO;
	else if (find_next_bit(maps->busy, end, run.first) < end)
		ret = -EBUSY;
	else if (region_books.nr_mappings >= REGION_MAX_MAPPINGS)
		ret = -ENOMEM;
	if (!ret) {
		region_books.nr_mappings++;
		list_add(&mapping->list, &region_books.mappings);
		bitmap_set(maps->mapped, run.first, run.nr);
		update_edges(run);
	}
	spin_unlock(&region_books.lock);
	return ret;
}

/**
 * region_unmap - the mapping is gone
 * @mapping: of region_map()
 */
void region_unmap(struct region_mapping *mapping)
{
	struct region_maps *maps = &region_books.maps;
	const struct region_mapping *other;

	spin_lock(&region_books.lock);
	region_books.nr_mappings--;
	list_del(&mapping->list);
	bitmap_clear(maps->mapped, mapping->run.first, mapping->run.nr);
	list_for_each_entry(other, &region_books.mappings, list)
		bitmap_set(maps->mapped, other->run.first, other->run.nr);
	update_edges(mapping->run);
	spin_unlock(&region_books.lock);
}

/**
 * region_hold - why a subblock can't be plugged
 * @index: unplugged, but not to be reserved
 *
 * Return: MEMPLUG_REASON_*: BUSY if nobody holds it.
 */
u32 region_hold(unsigned long index)
{
	u32 reason = MEMPLUG_REASON_BUSY;

	spin_lock(&region_books.lock);
	if (index < region_books.nr) {
		if (test_bit(index, region_books.maps.mapped))
			reason = MEMPLUG_REASON_MAPPED;
		else if (test_bit(index, region_books.maps.tied))
			reason = MEMPLUG_REASON_HELD;
	}
	spin_unlock(&region_books.lock);
	return reason;
}

/**
 * region_is_zeroed - is nothing left in a mapped subblock of whoever had it before
 * @index: subblock
 */
bool region_is_zeroed(unsigned long index)
{
	bool zeroed;

	spin_lock(&region_books.lock);
	zeroed = test_bit(index, region_books.maps.zeroed);
	spin_unlock(&region_books.lock);
	return zeroed;
}

/**
 * region_set_zeroed - a mapped subblock has been zeroed; that counts until it is plugged
 * @index: subblock
 */
void region_set_zeroed(unsigned long index)
{
	spin_lock(&region_books.lock);
	__set_bit(index, region_books.maps.zeroed);
	spin_unlock(&region_books.lock);
}
