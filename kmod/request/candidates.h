/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MEMPLUG_CANDIDATES_H
#define MEMPLUG_CANDIDATES_H

#include "request/request.h"

/**
 * struct look - what a look at a run found
 * @place: of all of it
 * @share: what it takes from what is available
 * @nr_movable: pages in use that would be moved
 * @cost: of each of its subblocks, PLAN_*
 * @dearest: the highest of these that is a cost
 * @bad: bit n set: subblock n of the run is not to be claimed now
 */
struct look {
	int place;
	struct floor_share share;
	unsigned long nr_movable;
	unsigned char cost[PLAN_MAX_RUN];
	unsigned int dearest;
	DECLARE_BITMAP(bad, PLAN_MAX_RUN);
};

int memplug_candidates_look_at(struct request *req, struct subblock_run run, struct look *look);
void memplug_candidates_start(struct request *req);
void memplug_candidates_start_again(struct request *req);
bool memplug_candidates_further(struct request *req);

#endif
