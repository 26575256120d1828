// SPDX-License-Identifier: GPL-2.0-only
/*
 * Carries an unplug out: asks the planner for runs, has them taken, and deals with what
 * failed.
 *
 * Best effort goes over the memory in passes. The first leaves aside what looks as if it
 * were in the way only for the moment; the second tries that again after the per-CPU LRU
 * batches, the main cause, have been drained; the last tries each such subblock alone and
 * takes no for an answer.
 */
#include <linux/bitmap.h>
#include <linux/mm.h>
#include <linux/sizes.h>

#include "request/contiguous.h"
#include "request/request.h"
#include "request/retry.h"
#include "request/take.h"
#include "request/unplug.h"

#define PASSES 3

/* docs/kernel.md, "Length of a run" */
#define RUN_FREE SZ_64M
#define RUN_ZEROED SZ_32M	/* free, too; as much as one call may be for */
#define RUN_USED SZ_8M

/* What came of trying to have one more run. */
enum step {
	STEP_ON,	/* something was done, there may be more to do at once */
	STEP_WAIT,	/* for others, or for what is in flight */
	STEP_END,	/* nothing is left, or there is no room or need for more */
};

bool memplug_unplug_by_address;

static const unsigned long no_subblocks[BITS_TO_LONGS(PLAN_MAX_RUN)];

/* The longest run, in subblocks, of this many bytes. */
static unsigned long run_of(u64 bytes)
{
	return clamp_t(u64, bytes / subblock_bytes(), 1, PLAN_MAX_RUN);
}

/* How long runs are; in the last pass each subblock is tried alone. */
static void set_run_lengths(struct request *req)
{
	u64 free_run = memplug_region_claims_are_zeroed ? RUN_ZEROED : RUN_FREE;

	req->plan.max_free_run = req->final ? 1 : run_of(free_run);
	req->plan.max_run = req->final ? 1 : run_of(RUN_USED);
}

/* A run could not be claimed: split it, at what is in the way if that can be seen. */
static void split_failed(struct request *req, struct subblock_run run, int error)
{
	struct look look = { };

	if (run.nr == 1)
		memplug_retry_single(req, run.first, error);
	else if (error == -EBUSY && memplug_candidates_look_at(req, run, &look))
		bitmap_zero(look.bad, run.nr);
	memplug_plan_split(&req->plan, run, look.bad);
}

/* The claim of a run, or what comes before it, has failed. */
static enum step handle_failure(struct request *req, struct subblock_run run, int place,
				int error)
{
	switch (error) {
	case -EAGAIN:
	case -ECANCELED:
	case -ENODEV:
		/* the next look will tell what is offline */
		memplug_plan_give_back(&req->plan, run);
		return error == -EAGAIN ? STEP_WAIT : STEP_ON;
	case -ENOSPC:
		if (run.nr == 1)
			req->stop = MEMPLUG_STOP_FLOOR;
		break;
	case -EDQUOT:
		if (run.nr == 1)
			memplug_retry_zone(req, place, req->plan.level);
		break;
	case -ENOMEM:
		memplug_retry_no_memory(req);
		fallthrough;
	default:
		split_failed(req, run, error);
		return STEP_ON;
	}
	memplug_plan_split(&req->plan, run, no_subblocks);
	return STEP_ON;
}

/*
 * What was planned for as cheap may have become dear meanwhile, if what other runs held was
 * moved there: it has to wait until nothing is cheaper.
 */
static bool has_become_dearer(struct request *req, struct subblock_run run,
			      const struct look *look)
{
	unsigned long i;

	if (!req->by_cost || look->dearest <= req->plan.level)
		return false;
	for (i = 0; i < run.nr; i++)
		memplug_plan_set_cost(&req->plan, run.first + i, look->cost[i]);
	memplug_plan_give_back(&req->plan, run);
	return true;
}

static enum step try_run(struct request *req, struct subblock_run run)
{
	struct look look;
	int ret = memplug_candidates_look_at(req, run, &look);

	if (ret)
		return handle_failure(req, run, NO_PLACE, ret);
	if (!bitmap_empty(look.bad, run.nr)) {
		memplug_plan_split(&req->plan, run, look.bad);
		return STEP_ON;
	}
	if (has_become_dearer(req, run, &look))
		return STEP_ON;
	if (request_is(req, MEMPLUG_REQ_DRY_RUN))
		ret = memplug_take_pretend(req, run, &look);
	else
		ret = memplug_take_start(req, run, &look);
	return ret ? handle_failure(req, run, look.place, ret) : STEP_ON;
}

static enum step start_one_more(struct request *req)
{
	struct subblock_run run;

	if (request_missing(req) == req->pending || !memplug_take_has_room(req) ||
	    memplug_request_should_stop(req))
		return STEP_END;
	if (memplug_plan_next(&req->plan, request_missing(req) - req->pending, &run))
		return try_run(req, run);
	return memplug_candidates_further(req) ? STEP_ON : STEP_END;
}

static void land_one(struct request *req)
{
	struct attempt *attempt = memplug_take_land(req);
	struct claim *claim = &attempt->claim;

	if (claim->result)
		handle_failure(req, claim->run, attempt->place, claim->result);
	else
		memplug_request_count_done(req, claim->run);
}

/* One pass over what the plan has: keeps as many runs in flight as there is room for. */
static void take_what_can_be_had(struct request *req)
{
	enum step step;

	do {
		step = start_one_more(req);
		if (step == STEP_ON)
			continue;
		if (req->nr_in_flight) {
			land_one(req);
			/* if it failed, parts of it may be tried now */
			step = STEP_ON;
		} else if (step == STEP_WAIT) {
			memplug_retry_wait(req);
		}
	} while (step != STEP_END);
}

static void take_best_effort(struct request *req)
{
	struct region_view *view = &req->view;
	unsigned int pass;

	for (pass = 0; pass < PASSES; pass++) {
		req->final = pass == PASSES - 1;
		set_run_lengths(req);
		if (pass) {
			memplug_take_drain(req);
			bitmap_copy(view->ready, req->retry, view->nr);
			bitmap_zero(req->retry, view->nr);
			memplug_candidates_start_again(req);
		} else {
			memplug_candidates_start(req);
		}
		take_what_can_be_had(req);
		if (!request_missing(req) || memplug_request_should_stop(req) ||
		    bitmap_empty(req->retry, view->nr))
			break;
	}
}

/*
 * What a request in the background does not try, and zones that are not asked for. Returns whether
 * something was left out that may be had yet.
 */
static bool narrow(struct request *req)
{
	struct region_view *view = &req->view;
	bool waits = false;

	if (req->only_wanted)
		memplug_region_keep_wanted(view->ready, view->nr);
	memplug_request_narrow_to_zone(req);
	if (req->skip) {
		unsigned long nr = min(view->nr, req->skip_nr);

		waits = bitmap_intersects(view->ready, req->skip_fresh, nr);
		bitmap_andnot(view->ready, view->ready, req->skip, nr);
	}
	view->nr_ready = bitmap_weight(view->ready, view->nr);
	return waits;
}

/* From here on it is about this zone, as it is now. Returns as narrow(). */
static bool go_to_zone(struct request *req, enum request_zone zone)
{
	req->zone = zone;
	memplug_region_snapshot(REGION_UNPLUG, req->within, req->nid, &req->view);
	return narrow(req);
}

/* All that can be had of what the view calls ready, or nothing if it is to be one run. */
static void take(struct request *req)
{
	if (request_is(req, MEMPLUG_REQ_CONTIGUOUS))
		memplug_contiguous_take(req);
	else
		take_best_effort(req);
}

/*
 * What others can't do without comes only when ZONE_NORMAL is not enough, and never in the place of
 * what might still be had there. What kept ZONE_NORMAL from giving all stays what is told.
 */
static void take_low_as_well(struct request *req)
{
	bool refused = req->floor_refused;
	bool told = refused || req->blockers.nr;

	req->nomem_claims = 0;
	req->by_cost = !memplug_unplug_by_address;
	go_to_zone(req, REQUEST_LOW);
	bitmap_zero(req->retry, req->view.nr);
	take(req);
	if (told)
		req->floor_refused = refused;
}

/* A range says itself what it wants. What is wanted was out before, in whichever zone it is. */
static void take_by_zone(struct request *req)
{
	bool no_room, waits;

	if (req->zone != REQUEST_ANY || request_is(req, MEMPLUG_REQ_RANGE) || !req->low) {
		take(req);
		return;
	}
	waits = go_to_zone(req, REQUEST_NORMAL) && !req->only_wanted;
	take(req);
	/* no room to move things to: what is free needs none */
	no_room = req->stop == MEMPLUG_STOP_EXHAUSTED;
	if (no_room)
		req->stop = MEMPLUG_STOP_NONE;
	if (request_missing(req) && !waits && !memplug_request_should_stop(req))
		take_low_as_well(req);
	if (no_room && req->stop == MEMPLUG_STOP_NONE)
		req->stop = MEMPLUG_STOP_EXHAUSTED;
}

/* The floor stopped a request for a range: that is what keeps the rest of it. */
static void blame_floor(struct request *req)
{
	unsigned long i;

	memplug_region_snapshot(REGION_UNPLUG, req->within, req->nid, &req->view);
	for_each_set_bit(i, req->view.ready, req->view.nr)
		memplug_request_block(req, i, MEMPLUG_REASON_FLOOR, 0);
}

/**
 * memplug_unplug_run - carry an unplug request out
 * @req: checked, with its books
 */
void memplug_unplug_run(struct request *req)
{
	struct region_view *view = &req->view;
	unsigned long i;

	memplug_region_snapshot(REGION_UNPLUG, req->within, req->nid, view);
	narrow(req);
	req->by_cost = !memplug_unplug_by_address;
	set_run_lengths(req);
	req->requested = req->only_wanted ? view->nr_ready : req->length;
	if (request_is(req, MEMPLUG_REQ_RANGE)) {
		req->already = view->nr_already;
		for_each_set_bit(i, view->busy, view->nr)
			memplug_request_block(req, i, MEMPLUG_REASON_BUSY, 0);
	}
	if (!memplug_request_enter(req))
		return;
	if (request_is(req, MEMPLUG_REQ_CONTIGUOUS) || !request_is(req, MEMPLUG_REQ_EXACT) ||
	    view->nr_ready >= request_missing(req))
		take_by_zone(req);
	if (request_missing(req) && request_is(req, MEMPLUG_REQ_EXACT))
		memplug_request_roll_back(req);
	if (request_is(req, MEMPLUG_REQ_RANGE) &&
	    (req->stop == MEMPLUG_STOP_FLOOR || req->floor_refused))
		blame_floor(req);
}
