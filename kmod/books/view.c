// SPDX-License-Identifier: GPL-2.0-only
/* Answers questions about the books of state.c and changes nothing in them. */
#include <linux/bitmap.h>
#include <linux/nodemask.h>

#include "private.h"

/**
 * memplug_region_find_unmanaged - find the first part of a run that is not managed
 * @within: the run
 * @bad: result
 *
 * Return: whether there is one.
 */
bool memplug_region_find_unmanaged(struct subblock_run within, struct subblock_run *bad)
{
	unsigned long end = within.first + within.nr;
	unsigned long i;

	spin_lock(&memplug_books.lock);
	i = min(within.first, memplug_books.nr);
	i = find_next_zero_bit(memplug_books.maps.managed, min(end, memplug_books.nr), i);
	bad->first = max(i, within.first);
	bad->nr = 0;
	if (bad->first < end) {
		i = find_next_bit(memplug_books.maps.managed, memplug_books.nr, bad->first);
		bad->nr = (i < min(end, memplug_books.nr) ? i : end) - bad->first;
	}
	spin_unlock(&memplug_books.lock);
	return bad->nr;
}

/**
 * memplug_region_has_managed - is any of this managed
 * @within: the run to look at
 */
bool memplug_region_has_managed(struct subblock_run within)
{
	unsigned long end;
	bool found;

	spin_lock(&memplug_books.lock);
	end = min(within.first + within.nr, memplug_books.nr);
	found = find_next_bit(memplug_books.maps.managed, end, min(within.first, end)) < end;
	spin_unlock(&memplug_books.lock);
	return found;
}

/**
 * memplug_region_place - the place of a subblock
 * @index: subblock
 *
 * Return: NO_PLACE if it is not managed, or not any more.
 */
int memplug_region_place(unsigned long index)
{
	int place;

	spin_lock(&memplug_books.lock);
	place = books_managed(index) ? books_place(index) : NO_PLACE;
	spin_unlock(&memplug_books.lock);
	return place;
}

/**
 * memplug_region_node - the node of a subblock
 * @index: subblock
 *
 * Return: NUMA_NO_NODE if it is not managed, or not any more.
 */
int memplug_region_node(unsigned long index)
{
	return place_node(memplug_region_place(index));
}

/**
 * memplug_region_split_low - part what is in low zones from the rest
 * @map: bitmap of @nr subblocks; what is low is taken out of it
 * @low: bitmap of as many; result: that
 * @nr: bits in them
 */
void memplug_region_split_low(unsigned long *map, unsigned long *low, unsigned long nr)
{
	const struct region_maps *maps = &memplug_books.maps;
	unsigned long limit;

	bitmap_zero(low, nr);
	spin_lock(&memplug_books.lock);
	limit = min(nr, memplug_books.nr);
	bitmap_and(low, maps->managed, maps->low, limit);
	spin_unlock(&memplug_books.lock);
	bitmap_and(low, low, map, limit);
	bitmap_andnot(map, map, low, limit);
}

/**
 * memplug_region_state - what the books say of a subblock
 * @index: subblock
 * @nid: result: its node; NUMA_NO_NODE if it is not managed
 * @flags: result: MEMPLUG_SUBBLOCK_WANTED, _QUARANTINED, _LOW
 *
 * Return: MEMPLUG_SUBBLOCK_PLUGGED, ...
 */
u32 memplug_region_state(unsigned long index, int *nid, u32 *flags)
{
	const struct region_maps *maps = &memplug_books.maps;
	u32 state = MEMPLUG_SUBBLOCK_UNMANAGED;

	*nid = NUMA_NO_NODE;
	*flags = 0;
	spin_lock(&memplug_books.lock);
	if (index < memplug_books.nr && test_bit(index, maps->wanted))
		*flags |= MEMPLUG_SUBBLOCK_WANTED;
	if (index < memplug_books.nr && test_bit(index, maps->quarantined))
		*flags |= MEMPLUG_SUBBLOCK_QUARANTINED;
	if (books_managed(index)) {
		*nid = books_node(index);
		if (test_bit(index, maps->low))
			*flags |= MEMPLUG_SUBBLOCK_LOW;
		if (test_bit(index, maps->busy))
			state = MEMPLUG_SUBBLOCK_BUSY;
		else if (test_bit(index, maps->unplugged))
			state = MEMPLUG_SUBBLOCK_UNPLUGGED;
		else
			state = MEMPLUG_SUBBLOCK_PLUGGED;
	}
	spin_unlock(&memplug_books.lock);
	return state;
}

/** memplug_region_nr - how many bits a snapshot has at the moment */
unsigned long memplug_region_nr(void)
{
	return READ_ONCE(memplug_books.nr);
}

/**
 * memplug_region_next_unplugged - find held memory without a snapshot
 * @index: where to start
 *
 * Return: the first unplugged subblock from there on, or ULONG_MAX.
 */
unsigned long memplug_region_next_unplugged(unsigned long index)
{
	unsigned long nr;

	spin_lock(&memplug_books.lock);
	nr = memplug_books.nr;
	index = find_next_bit(memplug_books.maps.unplugged, nr, min(index, nr));
	spin_unlock(&memplug_books.lock);
	return index < nr ? index : ULONG_MAX;
}

/* What is held can't be plugged, as if another request were busy with it. */
static void leave_held(struct region_view *view, unsigned long limit)
{
	const struct region_maps *maps = &memplug_books.maps;
	unsigned long i, held;

	for (i = 0; i < BITS_TO_LONGS(limit); i++) {
		held = view->ready[i] & (maps->tied[i] | maps->mapped[i] | maps->quarantined[i]);
		if (!held)
			continue;
		view->ready[i] &= ~held;
		view->busy[i] |= held;
		view->nr_held += hweight_long(held);
	}
}

/**
 * memplug_region_snapshot - copy what a request may try to change
 * @direction: REGION_UNPLUG: plugged subblocks are ready; REGION_PLUG: unplugged ones
 * @within: only these
 * @nid: only this node, or NUMA_NO_NODE
 * @view: its maps are the caller's, the rest is result
 */
void memplug_region_snapshot(enum region_direction direction, struct subblock_run within, int nid,
			     struct region_view *view)
{
	const struct region_maps *maps = &memplug_books.maps;
	struct books_stretches of_a_node;
	unsigned long i, end, limit, nr_all;

	bitmap_zero(view->ready, view->nr);
	bitmap_zero(view->busy, view->nr);
	bitmap_zero(view->seams, view->nr);
	view->nr_held = 0;

	spin_lock(&memplug_books.lock);
	limit = min(memplug_books.nr, view->nr);
	of_a_node = (struct books_stretches){ .map = maps->managed, .borders = maps->seams };
	bitmap_copy(view->seams, maps->seams, limit);
	limit = min(limit, within.first + within.nr);
	for (i = find_next_bit(maps->managed, limit, min(within.first, limit)); i < limit;
	     i = find_next_bit(maps->managed, limit, end)) {
		end = memplug_books_stretch_end(&of_a_node, i, limit);
		if (nid == NUMA_NO_NODE || books_node(i) == nid)
			bitmap_set(view->ready, i, end - i);
	}
	nr_all = bitmap_weight(view->ready, limit);
	bitmap_or(view->busy, maps->busy, maps->unsettled, limit);
	bitmap_and(view->busy, view->busy, view->ready, limit);
	bitmap_andnot(view->ready, view->ready, view->busy, limit);
	if (direction == REGION_UNPLUG)
		bitmap_andnot(view->ready, view->ready, maps->unplugged, limit);
	else
		bitmap_and(view->ready, view->ready, maps->unplugged, limit);
	if (direction == REGION_PLUG)
		leave_held(view, limit);
	spin_unlock(&memplug_books.lock);

	view->nr_ready = bitmap_weight(view->ready, view->nr);
	view->nr_busy = bitmap_weight(view->busy, view->nr);
	view->nr_already = nr_all - view->nr_ready - view->nr_busy;
}

/**
 * memplug_region_is_unplugged - is a subblock held
 * @index: subblock
 */
bool memplug_region_is_unplugged(unsigned long index)
{
	bool held;

	spin_lock(&memplug_books.lock);
	held = books_managed(index) && test_bit(index, memplug_books.maps.unplugged);
	spin_unlock(&memplug_books.lock);
	return held;
}

/**
 * memplug_region_is_managed - has all of a reserved run stayed online
 * @run: subblocks
 *
 * Context: under the exclusion of memory hotplug the answer holds until its end.
 */
bool memplug_region_is_managed(struct subblock_run run)
{
	struct subblock_run bad;

	return !memplug_region_find_unmanaged(run, &bad);
}

/* Nodes with managed memory. */
static unsigned int count_nodes(void)
{
	unsigned int count = 0;
	int nid;

	for_each_node_state(nid, N_POSSIBLE)
		count += memplug_books.nodes[nid].managed > 0;
	return count;
}

/**
 * memplug_region_sizes - how much there is
 * @sizes: result, consistent in itself
 */
void memplug_region_sizes(struct region_sizes *sizes)
{
	spin_lock(&memplug_books.lock);
	sizes->managed = memplug_books.managed;
	sizes->unplugged = memplug_books.unplugged;
	sizes->wanted = memplug_books.wanted;
	sizes->wanted_other_zone = memplug_books.wanted_elsewhere;
	sizes->target = memplug_books.has_target ? memplug_books.target : REGION_NO_TARGET;
	sizes->target_state = memplug_books.target_state;
	sizes->generation = memplug_books.generation;
	sizes->nr_nodes = count_nodes();
	sizes->low_managed = memplug_books.low.managed;
	sizes->low_unplugged = memplug_books.low.unplugged;
	spin_unlock(&memplug_books.lock);
}

/** memplug_region_generation - the number of the newest change */
u64 memplug_region_generation(void)
{
	return READ_ONCE(memplug_books.generation);
}

/** memplug_region_wait_queue - woken at every new generation */
wait_queue_head_t *memplug_region_wait_queue(void)
{
	return &memplug_books.wait;
}

/**
 * memplug_region_nodes - each node's share
 * @nodes: result, by ascending node
 * @capacity: how many fit there; no more are written
 * @generation: of this snapshot
 *
 * Return: how many there are.
 */
unsigned int memplug_region_nodes(struct memplug_node *nodes, unsigned int capacity,
				  u64 *generation)
{
	unsigned int count = 0;
	int nid;

	spin_lock(&memplug_books.lock);
	for_each_node_state(nid, N_POSSIBLE) {
		const struct node_share *share = &memplug_books.nodes[nid];

		if (!share->managed)
			continue;
		if (count < capacity)
			nodes[count] = (struct memplug_node){
				.node = nid,
				.managed_size = share->managed * subblock_bytes(),
				.unplugged_size = share->unplugged * subblock_bytes(),
			};
		count++;
	}
	*generation = memplug_books.generation;
	spin_unlock(&memplug_books.lock);
	return count;
}
