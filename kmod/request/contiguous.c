// SPDX-License-Identifier: GPL-2.0-only
/*
 * One run or nothing: finds a place for a contiguous request, the cheapest first, claims it in
 * pieces, and gives all of it back if one of them can't be had.
 */
#include <linux/bitmap.h>
#include <linux/mm.h>

#include "machine/hotplug.h"
#include "request/contiguous.h"
#include "request/retry.h"
#include "request/take.h"

/* These are not to be part of the place that is tried next. */
static void avoid(struct request *req, struct subblock_run run, const unsigned long *bad)
{
	unsigned long i;

	for_each_set_bit(i, bad, run.nr)
		__clear_bit(run.first + i, req->plan.candidates);
}

/* The floor refused this piece for its zone's sake: the next place goes without its end. */
static void avoid_for_zone(struct request *req, struct subblock_run piece)
{
	__clear_bit(piece.first + piece.nr - 1, req->plan.candidates);
	memplug_retry_zone(req, memplug_region_place(piece.first), PLAN_DEAREST);
}

/* The piece of @run that ends at @end, no longer than one claim. */
static struct subblock_run piece_below(const struct request *req, struct subblock_run run,
				       unsigned long end)
{
	struct subblock_run piece;

	piece.nr = min(end - run.first, req->plan.max_run);
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
		piece = piece_below(req, run, end);
		if (memplug_candidates_look_at(req, piece, &look)) {
			memplug_retry_wait(req);
			return false;
		}
		if (!bitmap_empty(look.bad, piece.nr)) {
			avoid(req, piece, look.bad);
			return false;
		}
		share.nr_pages += look.share.nr_pages;
		share.nr_free += look.share.nr_free;
		if (memplug_request_should_stop(req))
			return false;
	}
	if (memplug_hotplug_exclude()) {
		memplug_retry_wait(req);
		return false;
	}
	/* all of it is of one zone, that of its last piece */
	verdict = memplug_floor_check(look.place, share, share.nr_pages);
	memplug_hotplug_allow();
	if (verdict != FLOOR_OK && memplug_floor_wait(HZ / 10))
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
	unsigned long i;
	int ret;

	switch (error) {
	case -EAGAIN:
	case -ECANCELED:
	case -ENODEV:
		memplug_retry_wait(req);
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
	ret = memplug_candidates_look_at(req, piece, &look);
	req->final = final;
	/* nothing to be seen: blame one, or the search would not end */
	if (ret || bitmap_empty(look.bad, piece.nr))
		__set_bit(piece.nr - 1, look.bad);
	for_each_set_bit(i, look.bad, piece.nr)
		memplug_retry_single(req, piece.first + i, error);
	avoid(req, piece, look.bad);
}

static int start_piece(struct request *req, struct subblock_run piece)
{
	struct look look;
	int ret;

	if (memplug_request_should_stop(req))
		return -ECANCELED;
	ret = memplug_candidates_look_at(req, piece, &look);
	if (ret)
		return ret;
	if (!bitmap_empty(look.bad, piece.nr))
		return -EBUSY;
	if (request_is(req, MEMPLUG_REQ_DRY_RUN))
		return memplug_take_pretend(req, piece, &look);
	return memplug_take_start(req, piece, &look);
}

static int land_piece(struct request *req, struct subblock_run *piece)
{
	struct attempt *attempt = memplug_take_land(req);

	*piece = attempt->claim.run;
	if (!attempt->claim.result)
		memplug_request_count_done(req, *piece);
	return attempt->claim.result;
}

/*
 * Claims a place from its end down. A piece that has made room for memory hotplug is claimed again:
 * the others are not given back for that. Returns 0, or the first error and the piece it is of.
 */
static int claim_pieces(struct request *req, struct subblock_run run, struct subblock_run *culprit)
{
	struct subblock_run piece, again[REQUEST_MAX_ATTEMPTS];
	unsigned long end = run.first + run.nr;
	unsigned int nr_again = 0;
	int ret, error = 0;

	while (req->nr_in_flight || (!error && (nr_again || end > run.first))) {
		ret = 0;
		if (!error && (nr_again || end > run.first) && memplug_take_has_room(req)) {
			piece = nr_again ? again[nr_again - 1] : piece_below(req, run, end);
			ret = start_piece(req, piece);
			if (!ret) {
				if (nr_again)
					nr_again--;
				else
					end = piece.first;
				continue;
			}
		}
		/* when what is in flight has landed, it may be different */
		if (req->nr_in_flight && (!ret || ret == -EAGAIN)) {
			ret = land_piece(req, &piece);
			if (ret == -EAGAIN && !error) {
				again[nr_again++] = piece;
				continue;
			}
		} else if (ret == -EAGAIN && !error) {
			memplug_retry_wait(req);
			continue;
		}
		if (ret && !error) {
			error = ret;
			*culprit = piece;
		}
	}
	return error;
}

static bool claim_place(struct request *req, struct subblock_run run)
{
	struct subblock_run culprit;
	int error = claim_pieces(req, run, &culprit);

	if (!error)
		return true;
	memplug_request_roll_back(req);
	if (req->pretended)
		memset(req->pretended, 0, nr_places() * sizeof(*req->pretended));
	avoid_culprit(req, culprit, error);
	return false;
}

static bool find_place(struct request *req, struct subblock_run *run)
{
	while (!memplug_request_should_stop(req)) {
		if (memplug_plan_next_contiguous(&req->plan, req->length, req->align, run))
			return true;
		if (!memplug_candidates_further(req))
			return false;
	}
	return false;
}

/**
 * memplug_contiguous_take - take one run, or nothing
 * @req: a contiguous unplug, checked, with its books and its view
 *
 * Place by place. The second pass, after a drain, does not mind what may be in the way only
 * for the moment.
 */
void memplug_contiguous_take(struct request *req)
{
	struct region_view *view = &req->view;
	struct subblock_run run;
	unsigned int pass;

	for (pass = 0; pass < 2; pass++) {
		req->final = pass;
		if (pass) {
			memplug_take_drain(req);
			memplug_region_snapshot(REGION_UNPLUG, req->within, req->nid, view);
			memplug_request_narrow_to_zone(req);
		}
		memplug_candidates_start(req);
		while (find_place(req, &run))
			if (look_at_place(req, run) && claim_place(req, run))
				return;
		if (memplug_request_should_stop(req) || bitmap_empty(req->retry, view->nr))
			return;
	}
}
