/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The books behind books.h. For the files of this room only: nobody else may see a bitmap,
 * or take the lock.
 *
 * Maps by subblock index from physical address 0, so that an index never changes; at
 * 1 TiB and 4 MiB a subblock they are 1184 KiB together. The lock protects all of it. Under
 * it nothing sleeps or allocates, and no other lock is taken but the wait queue's.
 *
 * No struct page is read here but in memplug_region_update(), whose callers keep memory hotplug
 * out: going offline overwrites them. What they say of node and zone is in the books from then on.
 */
#ifndef MEMPLUG_BOOKS_PRIVATE_H
#define MEMPLUG_BOOKS_PRIVATE_H

#include <linux/bitmap.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/nodemask.h>
#include <linux/spinlock.h>

#include "books.h"
#include "events.h"
#include "machine/place.h"

#define REGION_BITMAPS 14

/* What is done to each of many subblocks is done to so many under one hold of the lock. */
#define BOOKS_STEP 4096UL

/**
 * struct region_maps - one bit a subblock each, a byte, and a place
 * @managed: online memory that memplug looks after
 * @unplugged: held by memplug; within managed
 * @busy: a request is claiming or releasing it; it may have gone offline since
 * @wanted: was unplugged when its memory block went offline, and is to be again; plugged, or
 *          not managed
 * @leaving: held until its block began to go offline, and again if it does not go; not managed
 * @seams: managed, and of another place than the one below
 * @tied: a descriptor's, of those in @owners
 * @unsettled: taken by a request that still runs, one of @owners or tied to one; nobody else may
 *             plug or map it
 * @mapped: unplugged, and at least one mapping shows it
 * @zeroed: unplugged, and nothing is left in it of whoever had it before
 * @quarantined: kept out as bad, or to be: unplugged, or wanted, or busy
 * @elsewhere: online in a zone that nobody looks after; neither managed nor leaving
 * @edges: as @seams, or tied otherwise than the one below
 * @low: its place is in a zone below ZONE_NORMAL; holds for what is managed
 * @bits: all of the above
 * @owners: of what is tied or unsettled, the owner's number; else 0
 * @places: of what is managed, its place
 */
struct region_maps {
	union {
		struct {
			unsigned long *managed;
			unsigned long *unplugged;
			unsigned long *busy;
			unsigned long *wanted;
			unsigned long *leaving;
			unsigned long *seams;
			unsigned long *tied;
			unsigned long *unsettled;
			unsigned long *mapped;
			unsigned long *zeroed;
			unsigned long *quarantined;
			unsigned long *elsewhere;
			unsigned long *edges;
			unsigned long *low;
		};
		unsigned long *bits[REGION_BITMAPS];
	};
	u8 *owners;
	u16 *places;
};

static_assert(MAX_PLACES <= U16_MAX);

struct node_share {
	unsigned long managed;
	unsigned long unplugged;
};

/**
 * struct memplug_books - all that is known, in subblocks
 * @lock: of all of it
 * @maps: see above
 * @nr: bits in each map; only ever grows
 * @managed: set bits
 * @unplugged: set bits
 * @wanted: set bits
 * @wanted_here: those of them that are managed
 * @wanted_elsewhere: those of them that are online in a zone that nobody looks after
 * @quarantined: set bits
 * @nodes: each node's share
 * @low: what of all that is in zones below ZONE_NORMAL
 * @owners: by number; the first is nobody
 * @mappings: struct region_mapping, all there are
 * @nr_mappings: how many
 * @has_target: @target is one
 * @target: plugged size to work toward
 * @target_state: MEMPLUG_TARGET_*
 * @generation: goes up with every change
 * @wait: for a new generation
 */
struct memplug_books {
	spinlock_t lock;	/* protects everything below */
	struct region_maps maps;
	unsigned long nr;
	unsigned long managed;
	unsigned long unplugged;
	unsigned long wanted;
	unsigned long wanted_here;
	unsigned long wanted_elsewhere;
	unsigned long quarantined;
	struct node_share nodes[MAX_NUMNODES];
	struct node_share low;
	struct region_owner *owners[REGION_MAX_OWNERS + 1];
	struct list_head mappings;
	unsigned int nr_mappings;
	bool has_target;
	unsigned long target;
	u32 target_state;
	u64 generation;
	wait_queue_head_t wait;
};

extern struct memplug_books memplug_books;

static inline bool books_managed(unsigned long index)
{
	return index < memplug_books.nr && test_bit(index, memplug_books.maps.managed);
}

/* Only for managed subblocks. */
static inline int books_place(unsigned long index)
{
	return memplug_books.maps.places[index];
}

static inline int books_node(unsigned long index)
{
	return place_node(books_place(index));
}

/* The part of a run of which anything is known. Without the lock, more of it may be at once. */
static inline struct subblock_run books_known(struct subblock_run run)
{
	unsigned long nr = READ_ONCE(memplug_books.nr);
	unsigned long first = min(run.first, nr);

	run.nr = min(run.nr, nr - first);
	run.first = first;
	return run;
}

/* Takes the next step from the beginning of a run that is not at its end. */
static inline struct subblock_run books_step(struct subblock_run *rest)
{
	struct subblock_run some = { .first = rest->first, .nr = min(rest->nr, BOOKS_STEP) };

	rest->first += some.nr;
	rest->nr -= some.nr;
	return some;
}

/* The first from @index on, but before @end, of those that @word has, a word at a time; or @end. */
static __always_inline unsigned long books_find(unsigned long (*word)(unsigned long number),
						unsigned long index, unsigned long end)
{
	unsigned long i, bits;

	for (i = index; i < end; i = round_down(i, BITS_PER_LONG) + BITS_PER_LONG) {
		bits = word(BIT_WORD(i)) & BITMAP_FIRST_WORD_MASK(i);
		if (bits)
			return min(round_down(i, BITS_PER_LONG) + __ffs(bits), end);
	}
	return end;
}

/* Plugged, and to stay so: what the target is held against. */
static inline unsigned long books_lasting(void)
{
	return memplug_books.managed - memplug_books.unplugged - memplug_books.wanted_here;
}

/* Every change ends with one event that says what it was. */
static inline void books_changed(struct memplug_event event)
{
	lockdep_assert_held(&memplug_books.lock);
	event.generation = ++memplug_books.generation;
	memplug_events_add(event);
	wake_up_interruptible_all(&memplug_books.wait);
}

/* Something that has no place. */
static inline void books_changed_value(u32 type, u64 value)
{
	books_changed((struct memplug_event){
		.type = type,
		.node = NUMA_NO_NODE,
		.value = value,
	});
}

static inline void books_changed_wanted(void)
{
	books_changed_value(MEMPLUG_EVENT_WANTED, memplug_books.wanted * subblock_bytes());
}

/* Not to be plugged, not even in need, as long as that lasts. */
static inline bool books_held(unsigned long index)
{
	return test_bit(index, memplug_books.maps.tied) ||
	       test_bit(index, memplug_books.maps.mapped) ||
	       test_bit(index, memplug_books.maps.quarantined);
}

/**
 * struct books_stretches - what makes neighbours one stretch
 * @map: all of it is set here
 * @borders: set behind its first in none of these
 * @alike: all of it is set, or none of it, in each of these, up to NULL
 */
struct books_stretches {
	const unsigned long *map;
	const unsigned long *borders;
	const unsigned long *alike[4];
};

/* state.c */
int memplug_books_alloc_maps(struct region_maps *maps, unsigned long nr);
void memplug_books_free_maps(struct region_maps *maps);

/* holds.c */
void memplug_books_update_edge(unsigned long index);
void memplug_books_own(unsigned long index, const struct region_owner *owner);
bool memplug_books_any_held(unsigned long first, unsigned long end);

/* list.c */
unsigned long memplug_books_stretch_end(const struct books_stretches *stretches, unsigned long i,
					unsigned long limit);

/* quarantine.c */
void memplug_books_want_quarantined(unsigned long index);

/* aim.c */
void memplug_books_set_wanted(unsigned long index, bool wanted);
void memplug_books_move_target(unsigned long lasting_before);

#endif
