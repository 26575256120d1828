/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MEMPLUG_BOOKS_H
#define MEMPLUG_BOOKS_H

#include <linux/list.h>
#include <linux/mm.h>
#include <linux/pid.h>
#include <linux/wait.h>

#include "subblock.h"
#include "uapi/memplug.h"

/* Which way a subblock is going while it is busy. */
enum region_direction { REGION_UNPLUG, REGION_PLUG };

/*
 * On whose behalf memory is unplugged or plugged. ASKED: somebody's request, which moves the
 * target along. OWN: memplug's own doing, toward the target. NEED: it was given back because the
 * machine was out of memory.
 */
enum region_mover { REGION_ASKED, REGION_OWN, REGION_NEED };

#define REGION_NO_TARGET ULONG_MAX

/*
 * At a time: descriptors that may have ranges tied to them, and requests that may take memory.
 * A byte names any of them. And mappings that there may be.
 */
#define REGION_MAX_DESCRIPTORS 191
#define REGION_MAX_REQUESTS 64
#define REGION_MAX_OWNERS (REGION_MAX_DESCRIPTORS + REGION_MAX_REQUESTS)
#define REGION_MAX_MAPPINGS 1024

/**
 * struct region_owner - whose some memory is: a descriptor's, or a running request's
 * @number: in the books: a descriptor's from 1 on, a request's above REGION_MAX_DESCRIPTORS
 * @is_request: until memplug_region_settle() it has what it took; nothing is tied to it
 * @opener: of a descriptor: the process that has opened it
 * @nr: subblocks that it has
 * @closed: it is gone; what is tied still is mapped, or about to be given back
 * @taken: somebody is giving back what is tied to it
 * @due: since it was taken last, or ever, some of it may have become free to be given back, or it
 *       has nothing any more
 */
struct region_owner {
	u8 number;
	bool is_request;
	struct pid *opener;
	unsigned long nr;
	bool closed;
	bool taken;
	bool due;
};

/**
 * struct region_mapping - some process, or several, can see this memory
 * @list: of the books
 * @run: subblocks
 */
struct region_mapping {
	struct list_head list;
	struct subblock_run run;
};

/* What is claimed has been zeroed by the kernel (init_on_alloc); set once, as well. */
extern bool memplug_region_claims_are_zeroed;

/**
 * struct region_sizes - one consistent look at the books, in subblocks
 * @managed: plugged, busy and unplugged
 * @unplugged: held by memplug
 * @wanted: to be unplugged, and not at the moment
 * @wanted_other_zone: those of them that are online in a zone that nobody looks after
 * @target: plugged size to work toward, or REGION_NO_TARGET
 * @target_state: MEMPLUG_TARGET_*
 * @generation: goes up with every change
 * @nr_nodes: nodes with managed memory
 * @low_managed: of @managed, what is in zones below ZONE_NORMAL
 * @low_unplugged: of @unplugged, likewise
 */
struct region_sizes {
	unsigned long managed;
	unsigned long unplugged;
	unsigned long wanted;
	unsigned long wanted_other_zone;
	unsigned long target;
	u32 target_state;
	u64 generation;
	unsigned int nr_nodes;
	unsigned long low_managed;
	unsigned long low_unplugged;
};

/**
 * struct region_aim - what ought to be, beside what is; in subblocks
 * @target: plugged size to work toward, or REGION_NO_TARGET
 * @lasting: plugged, and not wanted to be unplugged
 * @wanted_here: to be unplugged, and plugged
 * @droppable_here: those of them that are not quarantined
 * @wanted_absent: to be unplugged, and not managed
 * @generation: of these numbers
 */
struct region_aim {
	unsigned long target;
	unsigned long lasting;
	unsigned long wanted_here;
	unsigned long droppable_here;
	unsigned long wanted_absent;
	u64 generation;
};

/**
 * struct region_view - a copy of the state of some subblocks, for one request
 * @nr: bits in each map; subblocks beyond are left out
 * @ready: can be taken in the wanted direction, and nobody is busy with them
 * @busy: another request is busy with them, in whatever direction, or has taken them and may give
 *        them back; or they are to be plugged, and are tied, mapped or quarantined
 * @seams: not of the same place as the subblock below
 * @nr_ready: bits in @ready
 * @nr_busy: bits in @busy
 * @nr_held: those of them that are tied, mapped or quarantined
 * @nr_already: subblocks that are where the direction leads to, and nobody is busy with
 */
struct region_view {
	unsigned long nr;
	unsigned long *ready;
	unsigned long *busy;
	unsigned long *seams;
	unsigned long nr_ready;
	unsigned long nr_busy;
	unsigned long nr_held;
	unsigned long nr_already;
};

int memplug_region_init(void);
void memplug_region_exit(void);
int memplug_region_update(unsigned long start_pfn, unsigned long nr_pages);
int memplug_region_leave(unsigned long start_pfn, unsigned long nr_pages);
unsigned long memplug_region_next_leaving(unsigned long index);
bool memplug_region_stay(unsigned long index, bool keep);
void memplug_region_gone(unsigned long start_pfn, unsigned long nr_pages);

bool memplug_region_find_unmanaged(struct subblock_run within, struct subblock_run *bad);
bool memplug_region_has_managed(struct subblock_run within);
int memplug_region_node(unsigned long index);
int memplug_region_place(unsigned long index);
void memplug_region_split_low(unsigned long *map, unsigned long *low, unsigned long nr);
u32 memplug_region_state(unsigned long index, int *nid, u32 *flags);

unsigned long memplug_region_nr(void);
unsigned long memplug_region_next_unplugged(unsigned long index);
void memplug_region_snapshot(enum region_direction direction, struct subblock_run within, int nid,
			     struct region_view *view);

bool memplug_region_reserve(struct subblock_run run, enum region_direction direction);
bool memplug_region_reserve_wanted(struct subblock_run run);
bool memplug_region_reserve_in_need(unsigned long index);
bool memplug_region_is_managed(struct subblock_run run);
bool memplug_region_is_unplugged(unsigned long index);
void memplug_region_commit(struct subblock_run run, enum region_direction direction,
			   enum region_mover mover);
bool memplug_region_commit_wanted(struct subblock_run run);
void memplug_region_commit_taken(struct subblock_run run, const struct region_owner *owner);
void memplug_region_abort(struct subblock_run run);

int memplug_region_enter_owner(struct region_owner *owner);
void memplug_region_close_owner(struct region_owner *owner);
struct region_owner *memplug_region_take_closed(void);
bool memplug_region_put_closed(struct region_owner *owner);
unsigned long memplug_region_next_tied(const struct region_owner *owner, unsigned long index);
bool memplug_region_reserve_owned(unsigned long index, const struct region_owner *owner);
void memplug_region_settle(const struct region_owner *owner);
void memplug_region_leave_owner(struct region_owner *owner);
void memplug_region_untie(unsigned long index);
int memplug_region_map(struct region_mapping *mapping);
void memplug_region_unmap(struct region_mapping *mapping);
u32 memplug_region_hold(unsigned long index);
bool memplug_region_is_zeroed(unsigned long index);
void memplug_region_set_zeroed(unsigned long index);

unsigned long memplug_region_quarantine(struct subblock_run run, bool quarantined);
unsigned long memplug_region_quarantined(struct subblock_run within, unsigned long *unplugged);
bool memplug_region_any_quarantined(void);
unsigned long memplug_region_next_to_retake(unsigned long index);

int memplug_region_set_target(unsigned long target);
void memplug_region_set_target_state(u32 state, u64 generation);
void memplug_region_read_aim(struct region_aim *aim);
void memplug_region_drop_wanted(struct subblock_run within, int nid);
void memplug_region_drop_wanted_here(unsigned long nr);
unsigned long memplug_region_next_absent(unsigned long index);
void memplug_region_keep_wanted(unsigned long *map, unsigned long nr);

void memplug_region_sizes(struct region_sizes *sizes);
u64 memplug_region_generation(void);
wait_queue_head_t *memplug_region_wait_queue(void);
unsigned int memplug_region_nodes(struct memplug_node *nodes, unsigned int capacity,
				  u64 *generation);
int memplug_region_list(struct memplug_range *ranges, unsigned int capacity, u64 *generation);
int memplug_region_list_quarantined(struct memplug_range *ranges, unsigned int capacity,
				    u64 *generation);

#endif
