/* SPDX-License-Identifier: GPL-2.0 */
#ifndef MEMPLUG_REGION_H
#define MEMPLUG_REGION_H

#include <linux/mm.h>
#include <linux/wait.h>

#include "subblock.h"
#include "uapi/memplug.h"

/* Which way a subblock is going while it is busy. */
enum region_direction { REGION_UNPLUG, REGION_PLUG };

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
 * @generation: goes up with every change
 * @nr_nodes: nodes with managed memory
 */
struct region_sizes {
	unsigned long managed;
	unsigned long unplugged;
	u64 generation;
	unsigned int nr_nodes;
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
bool region_forget(unsigned long start_pfn, unsigned long nr_pages);

bool region_find_unmanaged(struct subblock_run within, struct subblock_run *bad);
bool region_has_managed(struct subblock_run within);
int region_node(unsigned long index);

unsigned long region_nr(void);
unsigned long region_next_unplugged(unsigned long index);
void region_snapshot(enum region_direction direction, struct subblock_run within, int nid,
		     struct region_view *view);

bool region_reserve(struct subblock_run run, enum region_direction direction);
bool region_is_managed(struct subblock_run run);
void region_commit(struct subblock_run run, enum region_direction direction);
void region_abort(struct subblock_run run);

void region_sizes(struct region_sizes *sizes);
u64 region_generation(void);
wait_queue_head_t *region_wait_queue(void);
unsigned int region_nodes(struct memplug_node *nodes, unsigned int capacity, u64 *generation);
unsigned int region_list(struct memplug_range *ranges, unsigned int capacity, u64 *generation);

#endif
