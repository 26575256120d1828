/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which run of subblocks to try next. Pure policy: no kernel call, no allocation, no
 * lock; the caller passes the arrays. It also builds in user space, for its tests and its
 * benchmark.
 */
#ifndef MEMPLUG_PLANNER_H
#define MEMPLUG_PLANNER_H

#include <linux/bitmap.h>

#include "subblock.h"

/* The longest run that is ever planned. */
#define PLAN_MAX_RUN 64UL

/*
 * What a subblock costs: 0 if all of it is free, else by the part of it that has to be moved,
 * 1 to PLAN_DEAREST. The rest are no costs: such a subblock is not handed out.
 */
#define PLAN_FREE 0
#define PLAN_DEAREST 8
#define PLAN_KEPT 254		/* stays plugged, whatever happens */
#define PLAN_UNKNOWN 255	/* nobody has looked at it yet */

/**
 * struct plan - the state of planning one pass over memory
 * @candidates: set: may be handed out. Cleared as it is handed out. The caller's.
 * @splits: set: this subblock may not be in one run with the one below it any more. The
 *          caller's, all clear at first
 * @seams: the same, for good (another node). The caller's, constant
 * @cost: of each subblock, PLAN_*. The caller's. What is not a candidate and was never to
 *        be one counts as gone if its cost is PLAN_FREE, as in the way if it is PLAN_KEPT
 * @nr: bits or bytes in each
 * @block: subblocks of a memory block, which is best emptied whole; 0: no preference
 * @max_free_run: longest run of free subblocks to hand out, 1 to PLAN_MAX_RUN
 * @max_run: the same where something has to be moved
 * @level: the highest cost that is handed out at present
 * @pass: how near to empty a memory block has to be for its subblocks to be handed out
 * @next_level: the least cost above @level that was met in this pass
 * @cursor: every candidate at or above it has been dealt with in this pass of this level
 * @seen_block: the memory block that @seen_rest is of, or ULONG_MAX
 * @seen_rest: how many of its subblocks stay plugged at this level
 */
struct plan {
	unsigned long *candidates;
	unsigned long *splits;
	const unsigned long *seams;
	unsigned char *cost;
	unsigned long nr;
	unsigned long block;
	unsigned long max_free_run;
	unsigned long max_run;

	unsigned int level;
	unsigned int pass;
	unsigned int next_level;
	unsigned long cursor;
	unsigned long seen_block;
	unsigned long seen_rest;
};

unsigned int memplug_plan_level(unsigned long to_move, unsigned long pages);
void memplug_plan_start(struct plan *plan);
void memplug_plan_set_cost(struct plan *plan, unsigned long index, unsigned int cost);
bool memplug_plan_next(struct plan *plan, unsigned long want, struct subblock_run *run);
void memplug_plan_give_back(struct plan *plan, struct subblock_run run);
void memplug_plan_split(struct plan *plan, struct subblock_run run, const unsigned long *blocked);
bool memplug_plan_next_contiguous(struct plan *plan, unsigned long nr, unsigned long align,
				  struct subblock_run *run);

#endif
