/* SPDX-License-Identifier: GPL-2.0 */
#ifndef MEMPLUG_TAKE_H
#define MEMPLUG_TAKE_H

#include "request.h"

/**
 * struct look - what a look at a run found
 * @zone: of all of it
 * @share: what it takes from what is available
 * @nr_movable: pages in use that would be moved
 * @bad: bit n set: subblock n of the run is not to be claimed now
 */
struct look {
	struct zone *zone;
	struct floor_share share;
	unsigned long nr_movable;
	DECLARE_BITMAP(bad, PLAN_MAX_RUN);
};

unsigned long take_longest_run(void);
int take_look(struct request *req, struct subblock_run run, struct look *look);
int take_run(struct request *req, struct subblock_run run, const struct look *look);
int take_pretend(struct request *req, struct subblock_run run, const struct look *look);
void take_drain(struct request *req);

#endif
