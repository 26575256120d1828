// SPDX-License-Identifier: GPL-2.0
/*
 * The only owner of what is managed and of each subblock's state: plugged (Linux uses
 * it), busy (one request is claiming or releasing it) or unplugged (memplug holds it).
 * What ought to be so, and is not, is in region_aim.c; who holds on to what is unplugged, in
 * region_holds.c; what is kept out as bad, in region_quarantine.c; who asks about the books
 * finds the answers in region_view.c.
 */
#include <linux/bitmap.h>
#include <linux/nodemask.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "books/private.h"
#include "machine/ram.h"

struct region_books region_books = {
	.lock = __SPIN_LOCK_UNLOCKED(region_books.lock),
	.mappings = LIST_HEAD_INIT(region_books.mappings),
	.wait = __WAIT_QUEUE_HEAD_INITIALIZER(region_books.wait),
};

bool region_claims_are_zeroed;

void books_free_maps(struct region_maps *maps)
{
	unsigned int i;

	for (i = 0; i < REGION_BITMAPS; i++)
		kvfree(maps->bits[i]);
	kvfree(maps->owners);
	kvfree(maps->nodes);
}

/* Room for books of @nr subblocks, with nothing in them; -ENOMEM leaves nothing to be freed. */
int books_alloc_maps(struct region_maps *maps, unsigned long nr)
{
	bool ok = true;
	unsigned int i;

	for (i = 0; i < REGION_BITMAPS; i++) {
		maps->bits[i] = kvcalloc(BITS_TO_LONGS(nr), sizeof(long), GFP_KERNEL);
		ok = ok && maps->bits[i];
	}
	maps->owners = kvcalloc(nr, sizeof(*maps->owners), GFP_KERNEL);
	maps->nodes = kvcalloc(nr, sizeof(*maps->nodes), GFP_KERNEL);
	if (ok && maps->owners && maps->nodes)
		return 0;
	books_free_maps(maps);
	memset(maps, 0, sizeof(*maps));
	return -ENOMEM;
}

/* Callers are serialised: init by its exclusion, memory hotplug by its nature. */
static int grow(unsigned long nr)
{
	struct region_maps maps, old;
	unsigned long old_nr = region_books.nr;
	unsigned int i;

	nr = ALIGN(nr, BITS_PER_LONG);
	if (nr <= old_nr)
		return 0;
	if (books_alloc_maps(&maps, nr))
		return -ENOMEM;

	spin_lock(&region_books.lock);
	old = region_books.maps;
	for (i = 0; i < REGION_BITMAPS; i++)
		bitmap_copy(maps.bits[i], old.bits[i], old_nr);
	if (old_nr) {
		memcpy(maps.owners, old.owners, old_nr * sizeof(*maps.owners));
		memcpy(maps.nodes, old.nodes, old_nr * sizeof(*maps.nodes));
	}
	region_books.maps = maps;
	region_books.nr = nr;
	spin_unlock(&region_books.lock);
	books_free_maps(&old);
	return 0;
}

/* Is there a border between nodes below this subblock? */
static void update_seam(unsigned long index)
{
	bool seam = index && books_managed(index) && books_managed(index - 1) &&
		    books_node(index) != books_node(index - 1);

	if (index >= region_books.nr)
		return;
	__assign_bit(index, region_books.maps.seams, seam);
	books_update_edge(index);
}

static void set_managed(unsigned long index, bool managed)
{
	lockdep_assert_held(&region_books.lock);
	if (books_managed(index) == managed)
		return;
	__assign_bit(index, region_books.maps.managed, managed);
	region_books.managed += managed ? 1 : -1;
	region_books.nodes[books_node(index)].managed += managed ? 1 : -1;
	if (test_bit(index, region_books.maps.wanted))
		region_books.wanted_here += managed ? 1 : -1;
	update_seam(index);
	update_seam(index + 1);
}

/* A look at a subblock that is not unplugged has found it fit to be managed, of a node, or not. */
static void manage(unsigned long index, bool fit, int nid)
{
	if (fit && !books_managed(index))
		region_books.maps.nodes[index] = nid;
	set_managed(index, fit);
}

static void set_elsewhere(unsigned long index, bool elsewhere)
{
	lockdep_assert_held(&region_books.lock);
	if (test_bit(index, region_books.maps.elsewhere) == elsewhere)
		return;
	__assign_bit(index, region_books.maps.elsewhere, elsewhere);
	if (test_bit(index, region_books.maps.wanted))
		region_books.wanted_elsewhere += elsewhere ? 1 : -1;
}

/* Of a managed subblock. */
static void set_unplugged(unsigned long index, bool unplugged)
{
	lockdep_assert_held(&region_books.lock);
	__assign_bit(index, region_books.maps.unplugged, unplugged);
	region_books.unplugged += unplugged ? 1 : -1;
	region_books.nodes[books_node(index)].unplugged += unplugged ? 1 : -1;
}

/* More or less of a stretch is managed now than when so much was managed in all. */
static void tell_of_managed(unsigned long start_pfn, unsigned long nr_pages, unsigned long before)
{
	unsigned long managed = region_books.managed;

	if (managed == before)
		return;
	books_changed((struct memplug_event){
		.type = managed > before ? MEMPLUG_EVENT_CAME : MEMPLUG_EVENT_WENT,
		.node = NUMA_NO_NODE,
		.start = PFN_PHYS((u64)start_pfn),
		.length = PFN_PHYS((u64)nr_pages),
		.value = managed * subblock_bytes(),
	});
}

/* A run of one node is unplugged now, or plugged. */
static void tell_of_run(struct subblock_run run, bool unplugged, u32 cause)
{
	books_changed((struct memplug_event){
		.type = unplugged ? MEMPLUG_EVENT_UNPLUGGED : MEMPLUG_EVENT_PLUGGED,
		.cause = cause,
		.node = books_node(run.first),
		.start = subblock_address(run.first),
		.length = run.nr * subblock_bytes(),
		.value = region_books.unplugged * subblock_bytes(),
	});
}

/**
 * region_update - look anew at what can be managed in a stretch of memory
 * @start_pfn: first page frame
 * @nr_pages: how many
 *
 * Context: sleeps. Called at init, with memory hotplug kept out, and from the memory notifier at
 * events that keep these struct pages in place.
 *
 * Return: 0 or -ENOMEM.
 */
int region_update(unsigned long start_pfn, unsigned long nr_pages)
{
	unsigned long index = start_pfn >> subblock_order;
	unsigned long end = DIV_ROUND_UP(start_pfn + nr_pages, subblock_pages());
	unsigned long before, lasting;

	if (grow(end))
		return -ENOMEM;
	before = region_books.managed;
	for (; index < end; index++) {
		unsigned long pfn = subblock_pfn(index);
		bool fit = ram_judge(pfn, subblock_pages()) == MEMPLUG_BAD_NONE;
		int nid = fit ? page_to_nid(pfn_to_page(pfn)) : NUMA_NO_NODE;
		bool elsewhere = !fit && ram_is_in_other_zone(pfn);

		spin_lock(&region_books.lock);
		lasting = books_lasting();
		if (!test_bit(index, region_books.maps.unplugged))
			manage(index, fit, nid);
		/* what is leaving may stay, and be as it was */
		if (books_managed(index) || test_bit(index, region_books.maps.leaving))
			elsewhere = false;
		set_elsewhere(index, elsewhere);
		books_move_target(lasting);
		spin_unlock(&region_books.lock);
		cond_resched();
	}
	spin_lock(&region_books.lock);
	tell_of_managed(start_pfn, nr_pages, before);
	spin_unlock(&region_books.lock);
	return 0;
}

/*
 * A subblock goes offline: it is not managed, and if it was unplugged it is wanted, unless a
 * request was about to plug it.
 */
static void unmanage(unsigned long index)
{
	const struct region_maps *maps = &region_books.maps;
	bool unplugged = test_bit(index, maps->unplugged);

	if (unplugged)
		set_unplugged(index, false);
	set_managed(index, false);
	if (unplugged && (!test_bit(index, maps->busy) || test_bit(index, maps->quarantined)))
		books_set_wanted(index, true);
}

/**
 * region_leave - a stretch of memory is about to go offline
 * @start_pfn: first page frame
 * @nr_pages: how many
 *
 * None of it is managed from now on. What was unplugged is leaving, until region_stay() or
 * region_gone(), and wanted, unless a request was about to plug it. What is busy belongs to a
 * request that will find it unmanaged, or not unplugged any more. If the memory stays after
 * all, region_update() brings it back.
 *
 * Context: takes a spinlock. No claim or release runs and none begins.
 *
 * Return: 0; -EBUSY, and nothing has changed, if something in it is tied or mapped.
 */
int region_leave(unsigned long start_pfn, unsigned long nr_pages)
{
	struct region_maps *maps = &region_books.maps;
	unsigned long first = start_pfn >> subblock_order;
	unsigned long i, end, before, lasting;

	spin_lock(&region_books.lock);
	before = region_books.managed;
	lasting = books_lasting();
	end = min(DIV_ROUND_UP(start_pfn + nr_pages, subblock_pages()), region_books.nr);
	if (books_any_held(first, end)) {
		spin_unlock(&region_books.lock);
		return -EBUSY;
	}
	for (i = first; i < end; i++) {
		if (test_bit(i, maps->unplugged))
			__set_bit(i, maps->leaving);
		unmanage(i);
	}
	books_move_target(lasting);
	tell_of_managed(start_pfn, nr_pages, before);
	spin_unlock(&region_books.lock);
	return 0;
}

/**
 * region_next_leaving - find memory whose block is between staying and going
 * @index: where to start
 *
 * Return: the first leaving subblock from there on, or ULONG_MAX.
 */
unsigned long region_next_leaving(unsigned long index)
{
	unsigned long nr;

	spin_lock(&region_books.lock);
	nr = region_books.nr;
	index = find_next_bit(region_books.maps.leaving, nr, min(index, nr));
	spin_unlock(&region_books.lock);
	return index < nr ? index : ULONG_MAX;
}

/**
 * region_stay - a leaving subblock stays, and is managed again
 * @index: subblock; its pages are memplug's as they were
 * @keep: it is not to be given back, whether anybody wants that or not
 *
 * Return: whether it is unplugged again; if not, nobody wants it to be any more: it counts as
 * plugged, and the caller gives its pages back.
 */
bool region_stay(unsigned long index, bool keep)
{
	struct region_maps *maps = &region_books.maps;
	unsigned long lasting;
	bool held;

	spin_lock(&region_books.lock);
	lasting = books_lasting();
	/* the request that was about to plug it will find it as it was */
	held = keep || test_bit(index, maps->wanted) || test_bit(index, maps->busy);
	__clear_bit(index, maps->leaving);
	books_set_wanted(index, false);
	if (held)
		set_unplugged(index, true);
	books_move_target(lasting);
	if (held)
		tell_of_run((struct subblock_run){ .first = index, .nr = 1 }, true,
			    MEMPLUG_CAUSE_HOTPLUG);
	else
		books_changed_wanted();
	spin_unlock(&region_books.lock);
	return held;
}

/**
 * region_gone - a stretch of memory has gone offline, and what was held there with it
 * @start_pfn: first page frame
 * @nr_pages: how many
 *
 * None of it is managed, whether region_leave() came before or not: the module may have been loaded
 * when the memory was on its way already, and have found it online. What a running request took is
 * its own still: it may have to say that it is not wanted.
 *
 * Context: takes a spinlock.
 */
void region_gone(unsigned long start_pfn, unsigned long nr_pages)
{
	unsigned long i = start_pfn >> subblock_order;
	unsigned long end, before, lasting;

	spin_lock(&region_books.lock);
	before = region_books.managed;
	lasting = books_lasting();
	end = min(DIV_ROUND_UP(start_pfn + nr_pages, subblock_pages()), region_books.nr);
	for (; i < end; i++) {
		unmanage(i);
		__clear_bit(i, region_books.maps.leaving);
		set_elsewhere(i, false);
	}
	books_move_target(lasting);
	tell_of_managed(start_pfn, nr_pages, before);
	spin_unlock(&region_books.lock);
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
	books_free_maps(&region_books.maps);
}

static void set_busy(struct subblock_run run, bool busy)
{
	lockdep_assert_held(&region_books.lock);
	if (busy)
		bitmap_set(region_books.maps.busy, run.first, run.nr);
	else
		bitmap_clear(region_books.maps.busy, run.first, run.nr);
}

/* By anyone, in either direction. */
static bool is_reservable(unsigned long index, enum region_direction direction)
{
	return books_managed(index) && !test_bit(index, region_books.maps.busy) &&
	       test_bit(index, region_books.maps.unplugged) == (direction == REGION_PLUG) &&
	       (direction == REGION_UNPLUG || !books_held(index));
}

static bool is_settled(unsigned long index)
{
	return !test_bit(index, region_books.maps.unsettled);
}

static bool reserve(struct subblock_run run, enum region_direction direction, bool only_wanted)
{
	bool ok = true;
	unsigned long i;

	spin_lock(&region_books.lock);
	for (i = run.first; i < run.first + run.nr && ok; i++)
		ok = is_reservable(i, direction) && is_settled(i) &&
		     (!only_wanted || test_bit(i, region_books.maps.wanted));
	if (ok)
		set_busy(run, true);
	spin_unlock(&region_books.lock);
	return ok;
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
	return reserve(run, direction, false);
}

/**
 * region_reserve_wanted - make a run busy that is to be unplugged as it is wanted
 * @run: subblocks
 *
 * Who looked for it may have seen it in the middle of an event of memory hotplug, at whose end it
 * is not wanted any more.
 *
 * Return: whether all of them were plugged, free and wanted; if not, none is reserved.
 * A reservation ends with region_commit_wanted() or region_abort().
 */
bool region_reserve_wanted(struct subblock_run run)
{
	return reserve(run, REGION_UNPLUG, true);
}

/**
 * region_reserve_in_need - make a subblock busy that is to be plugged as there is no memory left
 * @index: subblock; that a running request has taken it does not matter
 *
 * Return: whether it is; else it is not unplugged, or tied or mapped, or busy. A reservation ends
 * with region_commit() or region_abort().
 */
bool region_reserve_in_need(unsigned long index)
{
	bool ok;

	spin_lock(&region_books.lock);
	ok = is_reservable(index, REGION_PLUG);
	if (ok)
		__set_bit(index, region_books.maps.busy);
	spin_unlock(&region_books.lock);
	return ok;
}

static void commit(struct subblock_run run, bool unplugged, enum region_mover mover,
		   const struct region_owner *owner)
{
	static const u32 causes[] = {
		[REGION_ASKED] = MEMPLUG_CAUSE_REQUEST,
		[REGION_OWN] = MEMPLUG_CAUSE_TARGET,
		[REGION_NEED] = MEMPLUG_CAUSE_NEED,
	};
	unsigned long i, lasting;

	lockdep_assert_held(&region_books.lock);
	lasting = books_lasting();
	set_busy(run, false);
	for (i = run.first; i < run.first + run.nr; i++) {
		set_unplugged(i, unplugged);
		books_set_wanted(i, false);
		books_want_quarantined(i);
		books_own(i, test_bit(i, region_books.maps.quarantined) ? NULL : owner);
		__assign_bit(i, region_books.maps.zeroed, unplugged && region_claims_are_zeroed);
	}
	if (mover == REGION_ASKED)
		books_move_target(lasting);
	tell_of_run(run, unplugged, causes[mover]);
}

/**
 * region_commit - what a reservation was for has been done
 * @run: all or part of what was reserved
 * @direction: as it was reserved
 * @mover: on whose behalf: does the target move along
 */
void region_commit(struct subblock_run run, enum region_direction direction,
		   enum region_mover mover)
{
	spin_lock(&region_books.lock);
	commit(run, direction == REGION_UNPLUG, mover, NULL);
	spin_unlock(&region_books.lock);
}

/**
 * region_commit_wanted - the same, unplugged as it was wanted, unless it is not any more
 * @run: what was reserved
 *
 * Return: whether it is so; else nothing has changed, and the reservation lasts.
 */
bool region_commit_wanted(struct subblock_run run)
{
	unsigned long end = run.first + run.nr;
	bool wanted;

	spin_lock(&region_books.lock);
	wanted = find_next_zero_bit(region_books.maps.wanted, end, run.first) >= end;
	if (wanted)
		commit(run, true, REGION_OWN, NULL);
	spin_unlock(&region_books.lock);
	return wanted;
}

/**
 * region_commit_taken - the same, unplugged by someone's request, whose it is till region_settle()
 * @run: all or part of what was reserved
 * @owner: the request, or the descriptor that it is tied to from then on
 */
void region_commit_taken(struct subblock_run run, const struct region_owner *owner)
{
	spin_lock(&region_books.lock);
	commit(run, true, REGION_ASKED, owner);
	spin_unlock(&region_books.lock);
}

/**
 * region_abort - what a reservation was for has not been done
 * @run: all or part of what was reserved
 */
void region_abort(struct subblock_run run)
{
	unsigned long i, lasting, wanted;

	spin_lock(&region_books.lock);
	lasting = books_lasting();
	wanted = region_books.wanted;
	set_busy(run, false);
	/* some of it may have been marked meanwhile */
	for (i = run.first; i < run.first + run.nr; i++)
		books_want_quarantined(i);
	if (wanted != region_books.wanted) {
		books_move_target(lasting);
		books_changed_wanted();
	}
	spin_unlock(&region_books.lock);
}
