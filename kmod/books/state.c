// SPDX-License-Identifier: GPL-2.0-only
/*
 * The only owner of what is managed and of each subblock's state: plugged (Linux uses
 * it), busy (one request is claiming or releasing it) or unplugged (memplug holds it).
 * What ought to be so, and is not, is in aim.c; who holds on to what is unplugged, in
 * holds.c; what is kept out as bad, in quarantine.c; who asks about the books
 * finds the answers in view.c.
 */
#include <linux/bitmap.h>
#include <linux/bug.h>
#include <linux/nodemask.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "private.h"
#include "machine/ram.h"

struct memplug_books memplug_books = {
	.lock = __SPIN_LOCK_UNLOCKED(memplug_books.lock),
	.mappings = LIST_HEAD_INIT(memplug_books.mappings),
	.wait = __WAIT_QUEUE_HEAD_INITIALIZER(memplug_books.wait),
};

bool memplug_region_claims_are_zeroed;

void memplug_books_free_maps(struct region_maps *maps)
{
	unsigned int i;

	for (i = 0; i < REGION_BITMAPS; i++)
		kvfree(maps->bits[i]);
	kvfree(maps->owners);
	kvfree(maps->places);
}

/* Room for books of @nr subblocks, with nothing in them; -ENOMEM leaves nothing to be freed. */
int memplug_books_alloc_maps(struct region_maps *maps, unsigned long nr)
{
	bool ok = true;
	unsigned int i;

	for (i = 0; i < REGION_BITMAPS; i++) {
		maps->bits[i] = kvcalloc(BITS_TO_LONGS(nr), sizeof(long), GFP_KERNEL);
		ok = ok && maps->bits[i];
	}
	maps->owners = kvcalloc(nr, sizeof(*maps->owners), GFP_KERNEL);
	maps->places = kvcalloc(nr, sizeof(*maps->places), GFP_KERNEL);
	if (ok && maps->owners && maps->places)
		return 0;
	memplug_books_free_maps(maps);
	memset(maps, 0, sizeof(*maps));
	return -ENOMEM;
}

/* Callers are serialised: init by its exclusion, memory hotplug by its nature. */
static int grow(unsigned long nr)
{
	struct region_maps maps, old;
	unsigned long old_nr = memplug_books.nr;
	unsigned int i;

	nr = ALIGN(nr, BITS_PER_LONG);
	if (nr <= old_nr)
		return 0;
	if (memplug_books_alloc_maps(&maps, nr))
		return -ENOMEM;

	spin_lock(&memplug_books.lock);
	old = memplug_books.maps;
	for (i = 0; i < REGION_BITMAPS; i++)
		bitmap_copy(maps.bits[i], old.bits[i], old_nr);
	if (old_nr) {
		memcpy(maps.owners, old.owners, old_nr * sizeof(*maps.owners));
		memcpy(maps.places, old.places, old_nr * sizeof(*maps.places));
	}
	memplug_books.maps = maps;
	memplug_books.nr = nr;
	spin_unlock(&memplug_books.lock);
	memplug_books_free_maps(&old);
	return 0;
}

/* Is there a border between places below this subblock? */
static void update_seam(unsigned long index)
{
	bool seam = index && books_managed(index) && books_managed(index - 1) &&
		    books_place(index) != books_place(index - 1);

	if (index >= memplug_books.nr)
		return;
	__assign_bit(index, memplug_books.maps.seams, seam);
	memplug_books_update_edge(index);
}

static void set_managed(unsigned long index, bool managed)
{
	lockdep_assert_held(&memplug_books.lock);
	if (books_managed(index) == managed)
		return;
	__assign_bit(index, memplug_books.maps.managed, managed);
	memplug_books.managed += managed ? 1 : -1;
	memplug_books.nodes[books_node(index)].managed += managed ? 1 : -1;
	if (place_is_low(books_place(index)))
		memplug_books.low.managed += managed ? 1 : -1;
	if (test_bit(index, memplug_books.maps.wanted))
		memplug_books.wanted_here += managed ? 1 : -1;
	update_seam(index);
	update_seam(index + 1);
}

/* A look at a subblock that is not unplugged has found it fit to be managed, of a place, or not. */
static void manage(unsigned long index, bool fit, int place)
{
	if (fit && !books_managed(index)) {
		memplug_books.maps.places[index] = place;
		__assign_bit(index, memplug_books.maps.low, place_is_low(place));
	}
	set_managed(index, fit);
}

static void set_elsewhere(unsigned long index, bool elsewhere)
{
	lockdep_assert_held(&memplug_books.lock);
	if (test_bit(index, memplug_books.maps.elsewhere) == elsewhere)
		return;
	__assign_bit(index, memplug_books.maps.elsewhere, elsewhere);
	if (test_bit(index, memplug_books.maps.wanted))
		memplug_books.wanted_elsewhere += elsewhere ? 1 : -1;
}

/* Of a managed subblock. */
static void set_unplugged(unsigned long index, bool unplugged)
{
	lockdep_assert_held(&memplug_books.lock);
	__assign_bit(index, memplug_books.maps.unplugged, unplugged);
	memplug_books.unplugged += unplugged ? 1 : -1;
	memplug_books.nodes[books_node(index)].unplugged += unplugged ? 1 : -1;
	if (place_is_low(books_place(index)))
		memplug_books.low.unplugged += unplugged ? 1 : -1;
}

/* More or less of a stretch is managed now than when so much was managed in all. */
static void tell_of_managed(unsigned long start_pfn, unsigned long nr_pages, unsigned long before)
{
	unsigned long managed = memplug_books.managed;

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
		.value = memplug_books.unplugged * subblock_bytes(),
	});
}

/**
 * memplug_region_update - look anew at what can be managed in a stretch of memory
 * @start_pfn: first page frame
 * @nr_pages: how many
 *
 * Context: sleeps. Called at init, with memory hotplug kept out, and from the memory notifier at
 * events that keep these struct pages in place.
 *
 * Return: 0 or -ENOMEM.
 */
int memplug_region_update(unsigned long start_pfn, unsigned long nr_pages)
{
	unsigned long index = start_pfn >> memplug_subblock_order;
	unsigned long end = DIV_ROUND_UP(start_pfn + nr_pages, subblock_pages());
	unsigned long before, lasting;

	if (grow(end))
		return -ENOMEM;
	before = memplug_books.managed;
	for (; index < end; index++) {
		unsigned long pfn = subblock_pfn(index);
		bool fit = memplug_ram_judge(pfn, subblock_pages()) == MEMPLUG_BAD_NONE;
		int place = fit ? memplug_ram_place(pfn) : NO_PLACE;
		bool elsewhere = !fit && memplug_ram_is_in_other_zone(pfn);

		spin_lock(&memplug_books.lock);
		lasting = books_lasting();
		if (!test_bit(index, memplug_books.maps.unplugged))
			manage(index, fit, place);
		/* what is leaving may stay, and be as it was */
		if (books_managed(index) || test_bit(index, memplug_books.maps.leaving))
			elsewhere = false;
		set_elsewhere(index, elsewhere);
		memplug_books_move_target(lasting);
		spin_unlock(&memplug_books.lock);
		cond_resched();
	}
	spin_lock(&memplug_books.lock);
	tell_of_managed(start_pfn, nr_pages, before);
	spin_unlock(&memplug_books.lock);
	return 0;
}

/*
 * A subblock goes offline: it is not managed, and if it was unplugged it is wanted, unless a
 * request was about to plug it.
 */
static void unmanage(unsigned long index)
{
	const struct region_maps *maps = &memplug_books.maps;
	bool unplugged = test_bit(index, maps->unplugged);

	if (unplugged)
		set_unplugged(index, false);
	set_managed(index, false);
	if (unplugged && (!test_bit(index, maps->busy) || test_bit(index, maps->quarantined)))
		memplug_books_set_wanted(index, true);
}

/**
 * memplug_region_leave - a stretch of memory is about to go offline
 * @start_pfn: first page frame
 * @nr_pages: how many
 *
 * None of it is managed from now on. What was unplugged is leaving, until memplug_region_stay() or
 * memplug_region_gone(), and wanted, unless a request was about to plug it. What is busy belongs to
 * a request that will find it unmanaged, or not unplugged any more. If the memory stays after
 * all, memplug_region_update() brings it back.
 *
 * Context: takes a spinlock. No claim or release runs and none begins.
 *
 * Return: 0; -EBUSY, and nothing has changed, if something in it is tied or mapped.
 */
int memplug_region_leave(unsigned long start_pfn, unsigned long nr_pages)
{
	struct region_maps *maps = &memplug_books.maps;
	unsigned long first = start_pfn >> memplug_subblock_order;
	unsigned long i, end, before, lasting;

	spin_lock(&memplug_books.lock);
	before = memplug_books.managed;
	lasting = books_lasting();
	end = min(DIV_ROUND_UP(start_pfn + nr_pages, subblock_pages()), memplug_books.nr);
	if (memplug_books_any_held(first, end)) {
		spin_unlock(&memplug_books.lock);
		return -EBUSY;
	}
	for (i = first; i < end; i++) {
		if (test_bit(i, maps->unplugged))
			__set_bit(i, maps->leaving);
		unmanage(i);
	}
	memplug_books_move_target(lasting);
	tell_of_managed(start_pfn, nr_pages, before);
	spin_unlock(&memplug_books.lock);
	return 0;
}

/**
 * memplug_region_next_leaving - find memory whose block is between staying and going
 * @index: where to start
 *
 * Return: the first leaving subblock from there on, or ULONG_MAX.
 */
unsigned long memplug_region_next_leaving(unsigned long index)
{
	unsigned long nr;

	spin_lock(&memplug_books.lock);
	nr = memplug_books.nr;
	index = find_next_bit(memplug_books.maps.leaving, nr, min(index, nr));
	spin_unlock(&memplug_books.lock);
	return index < nr ? index : ULONG_MAX;
}

/**
 * memplug_region_stay - a leaving subblock stays, and is managed again
 * @index: subblock; its pages are memplug's as they were
 * @keep: it is not to be given back, whether anybody wants that or not
 *
 * Return: whether it is unplugged again; if not, nobody wants it to be any more: it counts as
 * plugged, and the caller gives its pages back.
 */
bool memplug_region_stay(unsigned long index, bool keep)
{
	struct region_maps *maps = &memplug_books.maps;
	unsigned long lasting;
	bool held;

	spin_lock(&memplug_books.lock);
	lasting = books_lasting();
	/* the request that was about to plug it will find it as it was */
	held = keep || test_bit(index, maps->wanted) || test_bit(index, maps->busy);
	__clear_bit(index, maps->leaving);
	memplug_books_set_wanted(index, false);
	if (held)
		set_unplugged(index, true);
	memplug_books_move_target(lasting);
	if (held)
		tell_of_run((struct subblock_run){ .first = index, .nr = 1 }, true,
			    MEMPLUG_CAUSE_HOTPLUG);
	else
		books_changed_wanted();
	spin_unlock(&memplug_books.lock);
	return held;
}

/**
 * memplug_region_gone - a stretch of memory has gone offline, and what was held there with it
 * @start_pfn: first page frame
 * @nr_pages: how many
 *
 * None of it is managed, whether memplug_region_leave() came before or not: the module may have
 * been loaded when the memory was on its way already, and have found it online. What a running
 * request took is its own still: it may have to say that it is not wanted.
 *
 * Context: takes a spinlock.
 */
void memplug_region_gone(unsigned long start_pfn, unsigned long nr_pages)
{
	unsigned long i = start_pfn >> memplug_subblock_order;
	unsigned long end, before, lasting;

	spin_lock(&memplug_books.lock);
	before = memplug_books.managed;
	lasting = books_lasting();
	end = min(DIV_ROUND_UP(start_pfn + nr_pages, subblock_pages()), memplug_books.nr);
	for (; i < end; i++) {
		unmanage(i);
		__clear_bit(i, memplug_books.maps.leaving);
		set_elsewhere(i, false);
	}
	memplug_books_move_target(lasting);
	tell_of_managed(start_pfn, nr_pages, before);
	spin_unlock(&memplug_books.lock);
}

/**
 * memplug_region_init - find what can be managed
 *
 * Context: sleeps. The caller keeps memory hotplug out.
 *
 * Return: 0 or -ENOMEM. Nothing to manage is not an error.
 */
int memplug_region_init(void)
{
	unsigned int i;
	int nid, ret = 0;

	for_each_online_node(nid) {
		for (i = 0; i < MAX_NR_ZONES && !ret; i++) {
			struct zone *zone = &NODE_DATA(nid)->node_zones[i];

			if (memplug_ram_has_zone(i) && populated_zone(zone))
				ret = memplug_region_update(zone->zone_start_pfn,
							    zone->spanned_pages);
		}
	}
	return ret;
}

/** memplug_region_exit - free the books; nothing is unplugged or busy any more */
void memplug_region_exit(void)
{
	/* neither can be seen from outside: nobody ever gets such a subblock again */
	WARN_ON(memplug_books.unplugged);
	WARN_ON(memplug_books.nr && !bitmap_empty(memplug_books.maps.busy, memplug_books.nr));
	memplug_books_free_maps(&memplug_books.maps);
}

static void set_busy(struct subblock_run run, bool busy)
{
	lockdep_assert_held(&memplug_books.lock);
	if (busy)
		bitmap_set(memplug_books.maps.busy, run.first, run.nr);
	else
		bitmap_clear(memplug_books.maps.busy, run.first, run.nr);
}

/* By anyone, in either direction. */
static bool is_reservable(unsigned long index, enum region_direction direction)
{
	return books_managed(index) && !test_bit(index, memplug_books.maps.busy) &&
	       test_bit(index, memplug_books.maps.unplugged) == (direction == REGION_PLUG) &&
	       (direction == REGION_UNPLUG || !books_held(index));
}

static bool is_settled(unsigned long index)
{
	return !test_bit(index, memplug_books.maps.unsettled);
}

static bool reserve(struct subblock_run run, enum region_direction direction, bool only_wanted)
{
	bool ok = true;
	unsigned long i;

	spin_lock(&memplug_books.lock);
	for (i = run.first; i < run.first + run.nr && ok; i++)
		ok = is_reservable(i, direction) && is_settled(i) &&
		     (!only_wanted || test_bit(i, memplug_books.maps.wanted));
	if (ok)
		set_busy(run, true);
	spin_unlock(&memplug_books.lock);
	return ok;
}

/**
 * memplug_region_reserve - make a run busy, so that it is nobody else's
 * @run: subblocks
 * @direction: where they are going
 *
 * Return: whether all of them were in the right state and free; if not, none is reserved.
 * A reservation ends with memplug_region_commit() or memplug_region_abort().
 */
bool memplug_region_reserve(struct subblock_run run, enum region_direction direction)
{
	return reserve(run, direction, false);
}

/**
 * memplug_region_reserve_wanted - make a run busy that is to be unplugged as it is wanted
 * @run: subblocks
 *
 * Who looked for it may have seen it in the middle of an event of memory hotplug, at whose end it
 * is not wanted any more.
 *
 * Return: whether all of them were plugged, free and wanted; if not, none is reserved.
 * A reservation ends with memplug_region_commit_wanted() or memplug_region_abort().
 */
bool memplug_region_reserve_wanted(struct subblock_run run)
{
	return reserve(run, REGION_UNPLUG, true);
}

/**
 * memplug_region_reserve_in_need - make a subblock busy that is to be plugged as there is no memory
 * left
 * @index: subblock; that a running request has taken it does not matter
 *
 * Return: whether it is; else it is not unplugged, or tied or mapped, or busy. A reservation ends
 * with memplug_region_commit() or memplug_region_abort().
 */
bool memplug_region_reserve_in_need(unsigned long index)
{
	bool ok;

	spin_lock(&memplug_books.lock);
	ok = is_reservable(index, REGION_PLUG);
	if (ok)
		__set_bit(index, memplug_books.maps.busy);
	spin_unlock(&memplug_books.lock);
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

	lockdep_assert_held(&memplug_books.lock);
	lasting = books_lasting();
	set_busy(run, false);
	for (i = run.first; i < run.first + run.nr; i++) {
		set_unplugged(i, unplugged);
		memplug_books_set_wanted(i, false);
		memplug_books_want_quarantined(i);
		memplug_books_own(i, test_bit(i, memplug_books.maps.quarantined) ? NULL : owner);
		__assign_bit(i, memplug_books.maps.zeroed,
			     unplugged && memplug_region_claims_are_zeroed);
	}
	if (mover == REGION_ASKED)
		memplug_books_move_target(lasting);
	tell_of_run(run, unplugged, causes[mover]);
}

/**
 * memplug_region_commit - what a reservation was for has been done
 * @run: all or part of what was reserved
 * @direction: as it was reserved
 * @mover: on whose behalf: does the target move along
 */
void memplug_region_commit(struct subblock_run run, enum region_direction direction,
			   enum region_mover mover)
{
	spin_lock(&memplug_books.lock);
	commit(run, direction == REGION_UNPLUG, mover, NULL);
	spin_unlock(&memplug_books.lock);
}

/**
 * memplug_region_commit_wanted - the same, unplugged as it was wanted, unless it is not any more
 * @run: what was reserved
 *
 * Return: whether it is so; else nothing has changed, and the reservation lasts.
 */
bool memplug_region_commit_wanted(struct subblock_run run)
{
	unsigned long end = run.first + run.nr;
	bool wanted;

	spin_lock(&memplug_books.lock);
	wanted = find_next_zero_bit(memplug_books.maps.wanted, end, run.first) >= end;
	if (wanted)
		commit(run, true, REGION_OWN, NULL);
	spin_unlock(&memplug_books.lock);
	return wanted;
}

/**
 * memplug_region_commit_taken - the same, unplugged by someone's request, whose it is till
 * memplug_region_settle()
 * @run: all or part of what was reserved
 * @owner: the request, or the descriptor that it is tied to from then on
 */
void memplug_region_commit_taken(struct subblock_run run, const struct region_owner *owner)
{
	spin_lock(&memplug_books.lock);
	commit(run, true, REGION_ASKED, owner);
	spin_unlock(&memplug_books.lock);
}

/**
 * memplug_region_abort - what a reservation was for has not been done
 * @run: all or part of what was reserved
 */
void memplug_region_abort(struct subblock_run run)
{
	unsigned long i, lasting, wanted;

	spin_lock(&memplug_books.lock);
	lasting = books_lasting();
	wanted = memplug_books.wanted;
	set_busy(run, false);
	/* some of it may have been marked meanwhile */
	for (i = run.first; i < run.first + run.nr; i++)
		memplug_books_want_quarantined(i);
	if (wanted != memplug_books.wanted) {
		memplug_books_move_target(lasting);
		books_changed_wanted();
	}
	spin_unlock(&memplug_books.lock);
}
