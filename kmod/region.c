// SPDX-License-Identifier: GPL-2.0
/*
 * The only owner of what is managed and of each subblock's state: plugged (Linux uses
 * it), busy (one request is claiming or releasing it) or unplugged (memplug holds it).
 *
 * Bitmaps by subblock index from physical address 0, so that an index never changes; at
 * 1 TiB and 4 MiB a subblock they are 128 KiB together. region.lock protects all of it.
 * Under it nothing sleeps or allocates, and no other lock is taken but the wait queue's.
 *
 * A managed subblock's struct pages exist and tell its node for sure under the lock: the
 * notifier makes it unmanaged before its memory can go (going offline overwrites them).
 */
#include <linux/bitmap.h>
#include <linux/nodemask.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "ram.h"
#include "region.h"

struct region_maps {
	unsigned long *managed;
	unsigned long *unplugged;	/* within managed */
	unsigned long *busy;
	unsigned long *seams;		/* managed, and of another node than the one below */
};

struct node_share {
	unsigned long managed;
	unsigned long unplugged;
};

static struct {
	spinlock_t lock;		/* protects everything below */
	struct region_maps maps;
	unsigned long nr;		/* bits in each map; only ever grows */
	unsigned long managed;
	unsigned long unplugged;
	struct node_share nodes[MAX_NUMNODES];
	u64 generation;
	wait_queue_head_t wait;		/* for a new generation */
} region = {
	.lock = __SPIN_LOCK_UNLOCKED(region.lock),
	.wait = __WAIT_QUEUE_HEAD_INITIALIZER(region.wait),
};

unsigned int region_subblock_order;

static void free_maps(struct region_maps *maps)
{
	kvfree(maps->managed);
	kvfree(maps->unplugged);
	kvfree(maps->busy);
	kvfree(maps->seams);
}

static int alloc_maps(struct region_maps *maps, unsigned long nr)
{
	maps->managed = kvcalloc(BITS_TO_LONGS(nr), sizeof(long), GFP_KERNEL);
	maps->unplugged = kvcalloc(BITS_TO_LONGS(nr), sizeof(long), GFP_KERNEL);
	maps->busy = kvcalloc(BITS_TO_LONGS(nr), sizeof(long), GFP_KERNEL);
	maps->seams = kvcalloc(BITS_TO_LONGS(nr), sizeof(long), GFP_KERNEL);
	if (maps->managed && maps->unplugged && maps->busy && maps->seams)
		return 0;
	free_maps(maps);
	return -ENOMEM;
}

/* Callers are serialised: init by its exclusion, memory hotplug by its nature. */
static int grow(unsigned long nr)
{
	struct region_maps maps, old;

	nr = ALIGN(nr, BITS_PER_LONG);
	if (nr <= region.nr)
		return 0;
	if (alloc_maps(&maps, nr))
		return -ENOMEM;

	spin_lock(&region.lock);
	old = region.maps;
	bitmap_copy(maps.managed, old.managed, region.nr);
	bitmap_copy(maps.unplugged, old.unplugged, region.nr);
	bitmap_copy(maps.busy, old.busy, region.nr);
	bitmap_copy(maps.seams, old.seams, region.nr);
	region.maps = maps;
	region.nr = nr;
	spin_unlock(&region.lock);
	free_maps(&old);
	return 0;
}

static bool is_managed(unsigned long index)
{
	return index < region.nr && test_bit(index, region.maps.managed);
}

/* Only for managed subblocks: theirs are the struct pages that surely exist. */
static int subblock_node(unsigned long index)
{
	return page_to_nid(pfn_to_page(subblock_pfn(index)));
}

/* Is there a border between nodes below this subblock? */
static void update_seam(unsigned long index)
{
	bool seam = index && is_managed(index) && is_managed(index - 1) &&
		    subblock_node(index) != subblock_node(index - 1);

	if (index < region.nr)
		__assign_bit(index, region.maps.seams, seam);
}

static void set_managed(unsigned long index, bool managed)
{
	if (is_managed(index) == managed)
		return;
	__assign_bit(index, region.maps.managed, managed);
	region.managed += managed ? 1 : -1;
	region.nodes[subblock_node(index)].managed += managed ? 1 : -1;
	update_seam(index);
	update_seam(index + 1);
}

static void bump_generation(void)
{
	region.generation++;
	wake_up_interruptible_all(&region.wait);
}

/**
 * region_update - look anew at what can be managed in a stretch of memory
 * @start_pfn: first page frame
 * @nr_pages: how many
 *
 * Context: sleeps. Called at init and from the memory notifier.
 *
 * Return: 0 or -ENOMEM.
 */
int region_update(unsigned long start_pfn, unsigned long nr_pages)
{
	unsigned long index = start_pfn >> region_subblock_order;
	unsigned long end = DIV_ROUND_UP(start_pfn + nr_pages, subblock_pages());
	unsigned long before;

	if (grow(end))
		return -ENOMEM;
	before = region.managed;
	for (; index < end; index++) {
		u32 bad = ram_judge(subblock_pfn(index), subblock_pages());

		spin_lock(&region.lock);
		if (!test_bit(index, region.maps.unplugged))
			set_managed(index, bad == MEMPLUG_BAD_NONE);
		spin_unlock(&region.lock);
		cond_resched();
	}
	spin_lock(&region.lock);
	if (before != region.managed)
		bump_generation();
	spin_unlock(&region.lock);
	return 0;
}

/**
 * region_forget - a stretch of memory is about to go offline
 * @start_pfn: first page frame
 * @nr_pages: how many
 *
 * What is busy there belongs to a request that has not claimed it yet and will find it
 * unmanaged. If the memory stays after all, region_update() brings it back.
 *
 * Context: takes a spinlock. No claim runs and none begins.
 *
 * Return: false, with nothing changed, if some of it is unplugged.
 */
bool region_forget(unsigned long start_pfn, unsigned long nr_pages)
{
	unsigned long i, end, before;
	bool held;

	spin_lock(&region.lock);
	before = region.managed;
	i = min(start_pfn >> region_subblock_order, region.nr);
	end = min(DIV_ROUND_UP(start_pfn + nr_pages, subblock_pages()), region.nr);
	held = find_next_bit(region.maps.unplugged, end, i) < end;
	for (; !held && i < end; i++)
		set_managed(i, false);
	if (before != region.managed)
		bump_generation();
	spin_unlock(&region.lock);
	return !held;
}

/**
 * region_init - find what can be managed
 *
 * Context: sleeps. The caller keeps memory hotplug out.
 *
 * Return: 0 or -ENOMEM. Nothing to manage is not an error.
 */
int region_init(void)
{
	int nid, ret = 0;

	for_each_online_node(nid) {
		struct zone *zone = &NODE_DATA(nid)->node_zones[ZONE_NORMAL];

		if (populated_zone(zone))
			ret = region_update(zone->zone_start_pfn, zone->spanned_pages);
		if (ret)
			break;
	}
	return ret;
}

/** region_exit - free the books; nothing is unplugged or busy any more */
void region_exit(void)
{
	free_maps(&region.maps);
}

/**
 * region_find_unmanaged - find the first part of a run that is not managed
 * @within: the run
 * @bad: result
 *
 * Return: whether there is one.
 */
bool region_find_unmanaged(struct subblock_run within, struct subblock_run *bad)
{
	unsigned long end = within.first + within.nr;
	unsigned long i;

	spin_lock(&region.lock);
	i = min(within.first, region.nr);
	i = find_next_zero_bit(region.maps.managed, min(end, region.nr), i);
	bad->first = max(i, within.first);
	bad->nr = 0;
	if (bad->first < end) {
		i = find_next_bit(region.maps.managed, region.nr, bad->first);
		bad->nr = (i < min(end, region.nr) ? i : end) - bad->first;
	}
	spin_unlock(&region.lock);
	return bad->nr;
}

/**
 * region_has_managed - is any of this managed
 * @within: the run to look at
 */
bool region_has_managed(struct subblock_run within)
{
	unsigned long end;
	bool found;

	spin_lock(&region.lock);
	end = min(within.first + within.nr, region.nr);
	found = find_next_bit(region.maps.managed, end, min(within.first, end)) < end;
	spin_unlock(&region.lock);
	return found;
}

/**
 * region_node - the node of a subblock
 * @index: subblock
 *
 * Return: NUMA_NO_NODE if it is not managed, or not any more.
 */
int region_node(unsigned long index)
{
	int nid;

	spin_lock(&region.lock);
	nid = is_managed(index) ? subblock_node(index) : NUMA_NO_NODE;
	spin_unlock(&region.lock);
	return nid;
}

/** region_nr - how many bits a snapshot has at the moment */
unsigned long region_nr(void)
{
	return READ_ONCE(region.nr);
}

/* Where the stretch that begins at @i, all set in @map and all of one node, ends. */
static unsigned long stretch_end(const unsigned long *map, unsigned long i, unsigned long limit)
{
	unsigned long next, ends;

	/* both at once: else many ends of one kind would have it look far for the other */
	for (next = i + 1; next < limit; next = round_down(next, BITS_PER_LONG) + BITS_PER_LONG) {
		ends = ~map[BIT_WORD(next)] | region.maps.seams[BIT_WORD(next)];
		ends &= BITMAP_FIRST_WORD_MASK(next);
		if (ends)
			return min(round_down(next, BITS_PER_LONG) + __ffs(ends), limit);
	}
	return limit;
}

/**
 * region_next_unplugged - find held memory without a snapshot
 * @index: where to start
 *
 * Return: the first unplugged subblock from there on, or ULONG_MAX.
 */
unsigned long region_next_unplugged(unsigned long index)
{
	unsigned long nr;

	spin_lock(&region.lock);
	nr = region.nr;
	index = find_next_bit(region.maps.unplugged, nr, min(index, nr));
	spin_unlock(&region.lock);
	return index < nr ? index : ULONG_MAX;
}

/**
 * region_snapshot - copy what a request may try to change
 * @direction: REGION_UNPLUG: plugged subblocks are ready; REGION_PLUG: unplugged ones
 * @within: only these
 * @nid: only this node, or NUMA_NO_NODE
 * @view: its maps are the caller's, the rest is result
 */
void region_snapshot(enum region_direction direction, struct subblock_run within, int nid,
		     struct region_view *view)
{
	const struct region_maps *maps = &region.maps;
	unsigned long i, end, limit, nr_all;

	bitmap_zero(view->ready, view->nr);
	bitmap_zero(view->busy, view->nr);
	bitmap_zero(view->seams, view->nr);

	spin_lock(&region.lock);
	limit = min(region.nr, view->nr);
	bitmap_copy(view->seams, maps->seams, limit);
	limit = min(limit, within.first + within.nr);
	for (i = find_next_bit(maps->managed, limit, min(within.first, limit)); i < limit;
	     i = find_next_bit(maps->managed, limit, end)) {
		end = stretch_end(maps->managed, i, limit);
		if (nid == NUMA_NO_NODE || subblock_node(i) == nid)
			bitmap_set(view->ready, i, end - i);
	}
	nr_all = bitmap_weight(view->ready, limit);
	bitmap_and(view->busy, view->ready, maps->busy, limit);
	bitmap_andnot(view->ready, view->ready, maps->busy, limit);
	if (direction == REGION_UNPLUG)
		bitmap_andnot(view->ready, view->ready, maps->unplugged, limit);
	else
		bitmap_and(view->ready, view->ready, maps->unplugged, limit);
	spin_unlock(&region.lock);

	view->nr_ready = bitmap_weight(view->ready, view->nr);
	view->nr_busy = bitmap_weight(view->busy, view->nr);
	view->nr_already = nr_all - view->nr_ready - view->nr_busy;
}

static bool is_reservable(unsigned long index, enum region_direction direction)
{
	return is_managed(index) && !test_bit(index, region.maps.busy) &&
	       test_bit(index, region.maps.unplugged) == (direction == REGION_PLUG);
}

/**
 * region_reserve - make a run busy, so that it is nobody else's
 * @run: subblocks
 * @direction: where they are going
 *
 * Return: whether all of them were in the right state and free; if not, none is reserved.
 * A reservation ends with region_commit() or region_abort().
 */
bool region_reserve(struct subblock_run run, enum region_direction direction)
{
	bool ok = true;
	unsigned long i;

	spin_lock(&region.lock);
	for (i = run.first; i < run.first + run.nr && ok; i++)
		ok = is_reservable(i, direction);
	if (ok)
		bitmap_set(region.maps.busy, run.first, run.nr);
	spin_unlock(&region.lock);
	return ok;
}

/**
 * region_is_managed - has all of a reserved run stayed online
 * @run: subblocks
 *
 * Context: under the exclusion of memory hotplug the answer holds until its end.
 */
bool region_is_managed(struct subblock_run run)
{
	struct subblock_run bad;

	return !region_find_unmanaged(run, &bad);
}

/**
 * region_commit - what a reservation was for has been done
 * @run: all or part of what was reserved
 * @direction: as it was reserved
 */
void region_commit(struct subblock_run run, enum region_direction direction)
{
	bool unplugged = direction == REGION_UNPLUG;
	unsigned long i;

	spin_lock(&region.lock);
	bitmap_clear(region.maps.busy, run.first, run.nr);
	for (i = run.first; i < run.first + run.nr; i++) {
		__assign_bit(i, region.maps.unplugged, unplugged);
		region.unplugged += unplugged ? 1 : -1;
		region.nodes[subblock_node(i)].unplugged += unplugged ? 1 : -1;
	}
	bump_generation();
	spin_unlock(&region.lock);
}

/**
 * region_abort - what a reservation was for has not been done
 * @run: all or part of what was reserved
 */
void region_abort(struct subblock_run run)
{
	spin_lock(&region.lock);
	bitmap_clear(region.maps.busy, run.first, run.nr);
	spin_unlock(&region.lock);
}

/* Nodes with managed memory. */
static unsigned int count_nodes(void)
{
	unsigned int count = 0;
	int nid;

	for_each_node_state(nid, N_POSSIBLE)
		count += region.nodes[nid].managed > 0;
	return count;
}

/**
 * region_sizes - how much there is
 * @sizes: result, consistent in itself
 */
void region_sizes(struct region_sizes *sizes)
{
	spin_lock(&region.lock);
	sizes->managed = region.managed;
	sizes->unplugged = region.unplugged;
	sizes->generation = region.generation;
	sizes->nr_nodes = count_nodes();
	spin_unlock(&region.lock);
}

/** region_generation - the number of the newest change */
u64 region_generation(void)
{
	return READ_ONCE(region.generation);
}

/** region_wait_queue - woken at every new generation */
wait_queue_head_t *region_wait_queue(void)
{
	return &region.wait;
}

/**
 * region_nodes - each node's share
 * @nodes: result, by ascending node
 * @capacity: how many fit there; no more are written
 * @generation: of this snapshot
 *
 * Return: how many there are.
 */
unsigned int region_nodes(struct memplug_node *nodes, unsigned int capacity, u64 *generation)
{
	unsigned int count = 0;
	int nid;

	spin_lock(&region.lock);
	for_each_node_state(nid, N_POSSIBLE) {
		if (!region.nodes[nid].managed)
			continue;
		if (count < capacity)
			nodes[count] = (struct memplug_node){
				.node = nid,
				.managed_size = region.nodes[nid].managed * subblock_bytes(),
				.unplugged_size = region.nodes[nid].unplugged * subblock_bytes(),
			};
		count++;
	}
	*generation = region.generation;
	spin_unlock(&region.lock);
	return count;
}

/**
 * region_list - the unplugged ranges
 * @ranges: result, by ascending address
 * @capacity: how many fit there; no more are written
 * @generation: of this snapshot
 *
 * Return: how many there are.
 */
unsigned int region_list(struct memplug_range *ranges, unsigned int capacity, u64 *generation)
{
	unsigned int count = 0;
	const unsigned long *map;
	unsigned long i, end;

	spin_lock(&region.lock);
	map = region.maps.unplugged;
	for (i = find_first_bit(map, region.nr); i < region.nr;
	     i = find_next_bit(map, region.nr, end)) {
		end = stretch_end(map, i, region.nr);
		if (count < capacity)
			ranges[count] = (struct memplug_range){
				.start = subblock_address(i),
				.length = (end - i) * subblock_bytes(),
				.node = subblock_node(i),
			};
		count++;
	}
	*generation = region.generation;
	spin_unlock(&region.lock);
	return count;
}
