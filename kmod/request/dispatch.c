// SPDX-License-Identifier: GPL-2.0-only
/*
 * Carries a request out: checks it against what is managed, gives it its books, has unplug.c or
 * plug.c do it, and concludes. What the two have in common is request.c.
 */
#include <linux/mm.h>
#include <linux/nodemask.h>
#include <linux/slab.h>

#include "counters.h"
#include "request/dispatch.h"
#include "request/plug.h"
#include "request/request.h"
#include "request/unmanaged.h"
#include "request/unplug.h"
#include "trace.h"

static unsigned long *alloc_map(unsigned long nr)
{
	/* one more: a machine with nothing to manage has no bits at all */
	return kvcalloc(BITS_TO_LONGS(nr) + 1, sizeof(long), GFP_KERNEL);
}

static int alloc_books(struct request *req)
{
	unsigned long nr = memplug_region_nr();

	req->view.nr = nr;
	req->changed = alloc_map(nr);
	req->retry = alloc_map(nr);
	req->view.ready = alloc_map(nr);
	req->view.busy = alloc_map(nr);
	req->view.seams = alloc_map(nr);
	req->plan.splits = alloc_map(nr);
	req->plan.cost = kvcalloc(nr + 1, sizeof(*req->plan.cost), GFP_KERNEL);
	req->zone_refusals = kvcalloc(nr_places(), sizeof(*req->zone_refusals), GFP_KERNEL);
	if (!req->changed || !req->retry || !req->view.ready || !req->view.busy ||
	    !req->view.seams || !req->plan.splits || !req->plan.cost || !req->zone_refusals)
		return -ENOMEM;
	if (memplug_ram_has_low_zones()) {
		req->low = alloc_map(nr);
		if (!req->low)
			return -ENOMEM;
	}
	if (req->background) {
		req->missed = alloc_map(nr);
		if (!req->missed)
			return -ENOMEM;
	}
	if (request_is(req, MEMPLUG_REQ_DRY_RUN)) {
		req->pretended = kvcalloc(nr_places(), sizeof(*req->pretended), GFP_KERNEL);
		if (!req->pretended)
			return -ENOMEM;
	}
	return 0;
}

/* All of a range has to be managed, and some of a window. */
static int check_place(struct request *req)
{
	if (req->nid != NUMA_NO_NODE && (req->nid < 0 || req->nid >= MAX_NUMNODES ||
					 !node_online(req->nid)))
		return -ENXIO;
	if ((request_is(req, MEMPLUG_REQ_RANGE) ||
	     (request_is(req, MEMPLUG_REQ_WINDOW) && !memplug_region_has_managed(req->within))) &&
	    memplug_unmanaged_find(req->within, &req->bad, &req->bad_why))
		return -ENXIO;
	return 0;
}

static void conclude(struct request *req)
{
	if (!request_missing(req))
		req->stop = MEMPLUG_STOP_NONE;
	else if (req->stop == MEMPLUG_STOP_NONE)
		req->stop = req->floor_refused ? MEMPLUG_STOP_FLOOR : MEMPLUG_STOP_EXHAUSTED;
	req->elapsed_ns = ktime_to_ns(ktime_sub(ktime_get(), req->started));
	trace_memplug_request_end(req, req->operation, req->stop, req->requested, req->done,
				  req->already, req->migrated, req->elapsed_ns);
	if (!request_is(req, MEMPLUG_REQ_DRY_RUN) && !req->background)
		memplug_counters_add_request(req->operation, req->stop);
}

/**
 * memplug_request_run - carry a request out
 * @req: with what is asked filled in, and free of contradictions
 *
 * Context: of a task that may sleep for as long as it takes. Signals and the deadline stop
 * it after the runs in flight. Ends with memplug_request_settle(), whatever it returns; until then
 * nobody else plugs or maps what it took.
 *
 * Return: 0 with the results in @req, however little was done; -ENXIO if the place is not
 * managed memory; -ENOMEM. With an error nothing has changed.
 */
int memplug_request_run(struct request *req)
{
	int ret;

	ret = check_place(req);
	if (!ret)
		ret = alloc_books(req);
	if (ret)
		return ret;
	trace_memplug_request_start(req, req->operation, req->flags, req->length, req->nid,
				    req->background);
	if (req->operation == MEMPLUG_OP_UNPLUG)
		memplug_unplug_run(req);
	else
		memplug_plug_run(req);
	conclude(req);
	return 0;
}

/**
 * memplug_request_undo - give back what an unplug took, as if it had never been
 * @req: over, and not settled
 */
void memplug_request_undo(struct request *req)
{
	if (req->operation == MEMPLUG_OP_UNPLUG && !request_is(req, MEMPLUG_REQ_DRY_RUN))
		memplug_request_roll_back(req);
}
