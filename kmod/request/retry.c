// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a request makes of memory that it could not have: tries it again later, writes down
 * why, or gives a zone or itself up.
 */
#include <linux/bitmap.h>
#include <linux/mm.h>

#include "machine/hotplug.h"
#include "memory/survey.h"
#include "request/retry.h"

#define MAX_NOMEM_CLAIMS 8	/* then memory is too short to go on */
#define MAX_ZONE_REFUSALS 64	/* in a row, then a zone has no more of a kind to give */
#define WAIT_STEP (HZ / 10)	/* how late a signal may be seen in a wait */

/**
 * memplug_retry_single - a subblock could not be claimed although nothing certain was seen there
 * @req: on whose behalf
 * @index: subblock
 * @error: of the claim, or -EALREADY if another request has it
 */
void memplug_retry_single(struct request *req, unsigned long index, int error)
{
	struct survey survey = { };

	if ((error == -EBUSY || error == -EALREADY) && !req->final) {
		__set_bit(index, req->retry);
		return;
	}
	if (!memplug_hotplug_exclude()) {
		struct subblock_run one = { .first = index, .nr = 1 };

		if (memplug_region_is_managed(one))
			memplug_survey_pages(subblock_pfn(index), subblock_pages(), &survey);
		memplug_hotplug_allow();
	}
	if (error == -ENOMEM)
		memplug_request_block(req, index, MEMPLUG_REASON_NO_MEMORY, 0);
	else if (error == -EALREADY)
		memplug_request_block(req, index, MEMPLUG_REASON_BUSY, 0);
	else if (survey.blocker)
		memplug_request_block(req, index, survey.reason, survey.blocker);
	else
		memplug_request_block(req, index, MEMPLUG_REASON_UNKNOWN, 0);
}

/**
 * memplug_retry_zone - the floor refused a subblock for its zone's sake
 * @req: on whose behalf
 * @place: whose; or NO_PLACE: it has gone offline meanwhile
 * @cost: what was refused costs this, or less
 *
 * Others of that zone may still be had, those that are in use above all; but not if it goes
 * on like this: then what costs no more is forgotten.
 */
void memplug_retry_zone(struct request *req, int place, unsigned int cost)
{
	struct plan *plan = &req->plan;
	unsigned long i;

	req->floor_refused = true;
	if (place == NO_PLACE)
		return;
	if (++req->zone_refusals[place] < MAX_ZONE_REFUSALS)
		return;
	for_each_set_bit(i, plan->candidates, plan->nr) {
		if (plan->cost[i] > cost || memplug_region_place(i) != place)
			continue;
		__clear_bit(i, plan->candidates);
		memplug_plan_set_cost(plan, i, PLAN_KEPT);
	}
}

/**
 * memplug_retry_zone_gave - the floor let a run be had, and it was
 * @req: on whose behalf
 * @place: the run's
 */
void memplug_retry_zone_gave(struct request *req, int place)
{
	req->zone_refusals[place] = 0;
}

/**
 * memplug_retry_no_memory - there was no room to move things to
 * @req: on whose behalf; stops if that happens too often
 */
void memplug_retry_no_memory(struct request *req)
{
	if (++req->nomem_claims == MAX_NOMEM_CLAIMS)
		req->stop = MEMPLUG_STOP_EXHAUSTED;
}

/**
 * memplug_retry_wait - wait for memory hotplug, or for what others have in flight
 * @req: on whose behalf; it has nothing in flight itself
 *
 * Context: sleeps for a moment at a time; the caller tries again, or stops.
 */
void memplug_retry_wait(struct request *req)
{
	if (memplug_hotplug_wait(WAIT_STEP))
		memplug_floor_wait(WAIT_STEP);
}
