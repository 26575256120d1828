// SPDX-License-Identifier: GPL-2.0
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

#include "hotplug.h"
#include "survey.h"
#include "take.h"

#define PASSES 3
#define MAX_NOMEM_CLAIMS 8	/* then memory is too short to go on */
#define MAX_ZONE_REFUSALS 64	/* in a row, then a zone has no more to give */

static void wait_for_hotplug(struct request *req)
{
	while (!hotplug_wait(HZ / 10) && !request_should_stop(req))
		;
}

/* A single subblock could not be claimed although nothing certain was seen in its way. */
static void give_up_on(struct request *req, unsigned long index, int error)
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

/*
 * The floor refused a subblock for its zone's sake. Others of that zone may still be had,
 * those that are in use above all; but not if it goes on like this: then forget them, and
 * go on with other nodes.
 */
static void note_zone_refusal(struct request *req, int nid)
{
	unsigned long i;

	req->floor_refused = true;
	if (++req->zone_refusals < MAX_ZONE_REFUSALS)
		return;
	req->plan.nr_pending = 0;
	for_each_set_bit(i, req->plan.candidates, req->plan.cursor)
		if (region_node(i) == nid)
			__clear_bit(i, req->plan.candidates);
}

static void handle_failure(struct request *req, struct subblock_run run,
			   const struct look *look, int error)
{
	DECLARE_BITMAP(none, PLAN_MAX_RUN) = { };

	switch (error) {
	case -EAGAIN:
	case -ECANCELED:
	case -ENODEV:
		/* the next look will tell what is offline */
		plan_give_back(&req->plan, run);
		return;
	case -ENOSPC:
		if (run.nr == 1)
			req->stop = MEMPLUG_STOP_FLOOR;
		break;
	case -EDQUOT:
		if (run.nr == 1)
			note_zone_refusal(req, zone_to_nid(look->zone));
		break;
	case -ENOMEM:
		if (++req->nomem_claims == MAX_NOMEM_CLAIMS)
			req->stop = MEMPLUG_STOP_EXHAUSTED;
		fallthrough;
	default:
		if (run.nr == 1)
			give_up_on(req, run.first, error);
		break;
	}
	plan_split(&req->plan, run, none);
}

static void try_run(struct request *req, struct subblock_run run)
{
	struct look look;
	int ret = take_look(req, run, &look);

	if (ret) {
		plan_give_back(&req->plan, run);
		wait_for_hotplug(req);
		return;
	}
	if (!bitmap_empty(look.bad, run.nr)) {
		plan_split(&req->plan, run, look.bad);
		return;
	}
	if (request_is(req, MEMPLUG_REQ_DRY_RUN))
		ret = take_pretend(req, run, &look);
	else
		ret = take_run(req, run, &look);
	if (ret)
		handle_failure(req, run, &look, ret);
	else
		req->zone_refusals = 0;
}

static void take_best_effort(struct request *req)
{
	struct region_view *view = &req->view;
	struct subblock_run run;
	unsigned int pass;

	for (pass = 0; pass < PASSES; pass++) {
		req->final = pass == PASSES - 1;
		if (pass) {
			take_drain(req);
			bitmap_copy(view->ready, req->retry, view->nr);
			bitmap_zero(req->retry, view->nr);
		}
		plan_init(&req->plan, view->ready, view->seams, view->nr,
			  req->final ? 1 : take_longest_run());
		while (request_missing(req) && !request_should_stop(req) &&
		       plan_next(&req->plan, request_missing(req), &run))
			try_run(req, run);
		if (!request_missing(req) || request_should_stop(req) ||
		    bitmap_empty(req->retry, view->nr))
			break;
	}
}

/* These are not to be part of the place that is tried next. */
static void avoid(struct request *req, struct subblock_run run, const unsigned long *bad)
{
	unsigned long i;

	for_each_set_bit(i, bad, run.nr)
		__clear_bit(run.first + i, req->plan.candidates);
}

/* The floor refused this piece for its zone's sake: the next place lies below it. */
static void avoid_for_zone(struct request *req, struct subblock_run piece)
{
	__clear_bit(piece.first + piece.nr - 1, req->plan.candidates);
	note_zone_refusal(req, region_node(piece.first));
}

/* The piece of @run that ends at @end, no longer than one claim. */
static struct subblock_run piece_below(struct subblock_run run, unsigned long end)
{
	struct subblock_run piece;

	piece.nr = min(end - run.first, take_longest_run());
	piece.first = end - piece.nr;
	return piece;
}

/* Looks at all of a place first. Returns whether it is worth being claimed. */
static bool look_at_place(struct request *req, struct subblock_run run)
{
	struct floor_share share = { };
	struct subblock_run piece;
	struct look look;
	enum floor_verdict verdict;
	unsigned long end;

	for (end = run.first + run.nr; end > run.first; end = piece.first) {
		piece = piece_below(run, end);
		if (take_look(req, piece, &look)) {
			wait_for_hotplug(req);
			return false;
		}
		if (!bitmap_empty(look.bad, piece.nr)) {
			avoid(req, piece, look.bad);
			return false;
		}
		share.nr_pages += look.share.nr_pages;
		share.nr_free += look.share.nr_free;
		if (request_should_stop(req))
			return false;
	}
	/* the free pages leave piece by piece, with time to reclaim: ask for a piece's worth */
	share.nr_free = min(share.nr_free, take_longest_run() * subblock_pages());
	verdict = floor_check(look.zone, share, share.nr_pages);
	if (verdict != FLOOR_OK && floor_wait(HZ / 10))
		return false;
	if (verdict == FLOOR_TOTAL)
		req->stop = MEMPLUG_STOP_FLOOR;
	else if (verdict == FLOOR_ZONE)
		avoid_for_zone(req, piece);
	return verdict == FLOOR_OK;
}

/* A piece could not be claimed: find out where, so that the next place avoids it. */
static void avoid_culprit(struct request *req, struct subblock_run piece, int error)
{
	bool final = req->final;
	struct look look;
	int ret;

	switch (error) {
	case -EAGAIN:
	case -ECANCELED:
	case -ENODEV:
		wait_for_hotplug(req);
		return;
	case -ENOSPC:
		req->stop = MEMPLUG_STOP_FLOOR;
		return;
	case -EDQUOT:
		avoid_for_zone(req, piece);
		return;
	}
	/* after a failure, what may be in the way is taken for it in the final pass too */
	req->final = false;
	ret = take_look(req, piece, &look);
	req->final = final;
	if (ret || bitmap_empty(look.bad, piece.nr)) {
		/* nothing to be seen: blame one, or the search would not end */
		__set_bit(piece.nr - 1, look.bad);
		give_up_on(req, piece.first + piece.nr - 1, error);
	}
	avoid(req, piece, look.bad);
}

static bool claim_place(struct request *req, struct subblock_run run)
{
	struct subblock_run piece;
	struct look look;
	unsigned long end;
	int ret;

	for (end = run.first + run.nr; end > run.first; end = piece.first) {
		piece = piece_below(run, end);
		ret = take_look(req, piece, &look);
		if (!ret && !bitmap_empty(look.bad, piece.nr))
			ret = -EBUSY;
		if (!ret && request_should_stop(req))
			ret = -ECANCELED;
		if (!ret)
			ret = request_is(req, MEMPLUG_REQ_DRY_RUN) ?
				      take_pretend(req, piece, &look) :
				      take_run(req, piece, &look);
		if (ret) {
			plug_back(req);
			if (req->pretended)
				memset(req->pretended, 0, nr_node_ids * sizeof(*req->pretended));
			avoid_culprit(req, piece, ret);
			return false;
		}
	}
	return true;
}

/*
 * One run or nothing, place by place. The second pass, after a drain, does not mind what may
 * be in the way only for the moment.
 */
static void take_contiguous(struct request *req)
{
	struct region_view *view = &req->view;
	struct subblock_run run;
	unsigned int pass;

	for (pass = 0; pass < 2; pass++) {
		req->final = pass;
		if (pass) {
			take_drain(req);
			region_snapshot(REGION_UNPLUG, req->within, req->nid, view);
		}
		plan_init(&req->plan, view->ready, view->seams, view->nr, take_longest_run());
		while (!request_should_stop(req) &&
		       plan_next_contiguous(&req->plan, req->length, req->align, &run))
			if (look_at_place(req, run) && claim_place(req, run))
				return;
		if (request_should_stop(req) || bitmap_empty(req->retry, view->nr))
			return;
	}
}

/* The floor stopped a request for a range: that is what keeps the rest of it. */
static void blame_floor(struct request *req)
{
	unsigned long i;

	region_snapshot(REGION_UNPLUG, req->within, req->nid, &req->view);
	for_each_set_bit(i, req->view.ready, req->view.nr)
		request_block(req, i, MEMPLUG_REASON_FLOOR, 0);
}

/**
 * unplug_run - carry an unplug request out
 * @req: checked, with its books
 */
void unplug_run(struct request *req)
{
	struct region_view *view = &req->view;
	unsigned long i;

	region_snapshot(REGION_UNPLUG, req->within, req->nid, view);
	req->requested = req->length;
	if (request_is(req, MEMPLUG_REQ_RANGE)) {
		req->already = view->nr_already;
		for_each_set_bit(i, view->busy, view->nr)
			request_block(req, i, MEMPLUG_REASON_BUSY, 0);
	}
	if (request_is(req, MEMPLUG_REQ_CONTIGUOUS))
		take_contiguous(req);
	else if (!request_is(req, MEMPLUG_REQ_EXACT) || view->nr_ready >= request_missing(req))
		take_best_effort(req);
	if (request_missing(req) && request_is(req, MEMPLUG_REQ_EXACT))
		plug_back(req);
	if (request_is(req, MEMPLUG_REQ_RANGE) &&
	    (req->stop == MEMPLUG_STOP_FLOOR || req->floor_refused))
		blame_floor(req);
}
