// SPDX-License-Identifier: GPL-2.0
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
 * setback_single - a subblock could not be claimed although nothing certain was seen there
 * @req: on whose behalf
 * @index: subblock
 * @error: of the claim, or -EALREADY if another request has it
 */
void setback_single(struct request *req, unsigned long index, int error)
{
	struct survey survey = { };

	if ((error == -EBUSY || error == -EALREADY) && !req->final) {
		__set_bit(index, req->retry);
		return;
	}
	if (!hotplug_exclude()) {
		struct subblock_run one = { .first = index, .nr = 1 };

		if (region_is_managed(one))
			survey_pages(subblock_pfn(index), subblock_pages(), &survey);
		hotplug_allow();
	}
	if (error == -ENOMEM)
		request_block(req, index, MEMPLUG_REASON_NO_MEMORY, 0);
	else if (error == -EALREADY)
		request_block(req, index, MEMPLUG_REASON_BUSY, 0);
	else if (survey.blocker)
		request_block(req, index, survey.reason, survey.blocker);
	else
		request_block(req, index, MEMPLUG_REASON_UNKNOWN, 0);
}

/**
 * setback_zone - the floor refused a subblock for its zone's sake
 * @req: on whose behalf
 * @nid: the zone's node, or NUMA_NO_NODE: it has gone offline meanwhile
 * @cost: what was refused costs this, or less
 *
 * Others of that zone may still be had, those that are in use above all; but not if it goes
 * on like this: then what costs no more is forgotten.
 */
void setback_zone(struct request *req, int nid, unsigned int cost)
{
	struct plan *plan = &req->plan;
	unsigned long i;

	req->floor_refused = true;
	if (nid == NUMA_NO_NODE)
		return;
	if (++req->zone_refusals[nid] < MAX_ZONE_REFUSALS)
		return;
	for_each_set_bit(i, plan->candidates, plan->nr) {
		if (plan->cost[i] > cost || region_node(i) != nid)
			continue;
		__clear_bit(i, plan->candidates);
		plan_set_cost(plan, i, PLAN_KEPT);
	}
}

/**
 * setback_zone_gave - the floor let a run be had, and it was
 * @req: on whose behalf
 * @nid: the node of the run's zone
 */
void setback_zone_gave(struct request *req, int nid)
{
	req->zone_refusals[nid] = 0;
}

/**
 * setback_no_memory - there was no room to move things to
 * @req: on whose behalf; stops if that happens too often
 */
void setback_no_memory(struct request *req)
{
	if (++req->nomem_claims == MAX_NOMEM_CLAIMS)
		req->stop = MEMPLUG_STOP_EXHAUSTED;
}

/**
 * setback_wait - wait for memory hotplug, or for what others have in flight
 * @req: on whose behalf; it has nothing in flight itself
 *
 * Context: sleeps for a moment at a time; the caller tries again, or stops.
 */
void setback_wait(struct request *req)
{
	if (hotplug_wait(WAIT_STEP))
		floor_wait(WAIT_STEP);
}
