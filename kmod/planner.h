/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which run of subblocks to try next. Pure policy: no kernel call, no allocation, no
 * lock; the caller passes the bitmaps. It also builds in user space, for its tests.
 */
#ifndef MEMPLUG_PLANNER_H
#define MEMPLUG_PLANNER_H

#include <linux/bitmap.h>

#include "subblock.h"

/* The longest run that is ever planned, which bounds what one split can give back. */
#define PLAN_MAX_RUN 64UL

/**
 * struct plan - the state of planning one pass over memory
 * @candidates: set: may be handed out. Cleared as it is handed out. The caller's.
 * @seams: set: this subblock may not be in one run with the one below it (another
 *         node). The caller's, constant.
 * @nr: bits in both
 * @max_run: longest run to hand out, 1 to PLAN_MAX_RUN
 * @cursor: every candidate at or above it was handed out
 * @pending: runs given back by plan_give_back(), handed out before anything else
 * @nr_pending: how many
 */
struct plan {
	unsigned long *candidates;
	const unsigned long *seams;
	unsigned long nr;
	unsigned long max_run;
	unsigned long cursor;
	struct subblock_run pending[PLAN_MAX_RUN];
	unsigned int nr_pending;
};

void plan_init(struct plan *plan, unsigned long *candidates, const unsigned long *seams,
	       unsigned long nr, unsigned long max_run);
bool plan_next(struct plan *plan, unsigned long want, struct subblock_run *run);
void plan_give_back(struct plan *plan, struct subblock_run run);
void plan_split(struct plan *plan, struct subblock_run run, const unsigned long *blocked);
bool plan_next_contiguous(struct plan *plan, unsigned long nr, unsigned long align,
			  struct subblock_run *run);

#endif
