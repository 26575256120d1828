/* SPDX-License-Identifier: GPL-2.0 */
#ifndef MEMPLUG_REGION_H
#define MEMPLUG_REGION_H

#include <linux/mm.h>
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

/* log2 of a subblock's pages; set once, before anything else of this is called. */
extern unsigned int region_subblock_order;

static inline unsigned long subblock_pages(void)
{
	return 1UL << region_subblock_order;
}

static inline u64 subblock_bytes(void)
{
	return (u64)PAGE_SIZE << region_subblock_order;
}

static inline unsigned long subblock_pfn(unsigned long index)
{
	return index << region_subblock_order;
}

static inline u64 subblock_address(unsigned long index)
{
	return PFN_PHYS((u64)index << region_subblock_order);
}

static inline unsigned long subblock_at(u64 address)
{
	return PHYS_PFN(address) >> region_subblock_order;
}

/**
 * struct region_sizes - one consistent look at the books, in subblocks
 * @managed: plugged, busy and unplugged
 * @unplugged: held by memplug
 * @wanted: to be unplugged, and not at the moment
 * @wanted_other_zone: those of them that are online in another zone
 * @target: plugged size to work toward, or REGION_NO_TARGET
 * @target_state: MEMPLUG_TARGET_*
 * @generation: goes up with every change
 * @nr_nodes: nodes with managed memory
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
};

/**
 * struct region_aim - what ought to be, beside what is; in subblocks
 * @target: plugged size to work toward, or REGION_NO_TARGET
 * @lasting: plugged, and not wanted to be unplugged
 * @wanted_here: to be unplugged, and plugged
 * @wanted_absent: to be unplugged, and not managed
 * @generation: of these numbers
 */
struct region_aim {
	unsigned long target;
	unsigned long lasting;
	unsigned long wanted_here;
	unsigned long wanted_absent;
	u64 generation;
};

/**
 * struct region_view - a copy of the state of some subblocks, for one request
 * @nr: bits in each map; subblocks beyond are left out
 * @ready: can be taken in the wanted direction, and nobody is busy with them
 * @busy: another request is busy with them, in whatever direction
 * @seams: not of the same node as the subblock below
 * @nr_ready: bits in @ready
 * @nr_busy: bits in @busy
 * @nr_already: subblocks that are where the direction leads to, and nobody is busy with
 */
struct region_view {
	unsigned long nr;
	unsigned long *ready;
	unsigned long *busy;
	unsigned long *seams;
	unsigned long nr_ready;
	unsigned long nr_busy;
	unsigned long nr_already;
};

int region_init(void);
void region_exit(void);
int region_update(unsigned long start_pfn, unsigned long nr_pages);
void region_leave(unsigned long start_pfn, unsigned long nr_pages);
unsigned long region_next_leaving(unsigned long index);
bool region_stay(unsigned long index);
void region_gone(unsigned long start_pfn, unsigned long nr_pages);

bool region_find_unmanaged(struct subblock_run within, struct subblock_run *bad);
bool region_has_managed(struct subblock_run within);
int region_node(unsigned long index);
u32 region_state(unsigned long index, int *nid, bool *wanted);

unsigned long region_nr(void);
unsigned long region_next_unplugged(unsigned long index);
void region_snapshot(enum region_direction direction, struct subblock_run within, int nid,
		     struct region_view *view);

bool region_reserve(struct subblock_run run, enum region_direction direction);
bool region_is_managed(struct subblock_run run);
bool region_is_unplugged(unsigned long index);
void region_commit(struct subblock_run run, enum region_direction direction,
		   enum region_mover mover);
void region_abort(struct subblock_run run);

int region_set_target(unsigned long target);
void region_set_target_state(u32 state, u64 generation);
void region_read_aim(struct region_aim *aim);
void region_drop_wanted(struct subblock_run within, int nid);
void region_drop_wanted_here(unsigned long nr);
unsigned long region_next_absent(unsigned long index);
void region_keep_wanted(unsigned long *map, unsigned long nr);

void region_sizes(struct region_sizes *sizes);
u64 region_generation(void);
wait_queue_head_t *region_wait_queue(void);
unsigned int region_nodes(struct memplug_node *nodes, unsigned int capacity, u64 *generation);
unsigned int region_list(struct memplug_range *ranges, unsigned int capacity, u64 *generation);

#endif
