// SPDX-License-Identifier: GPL-2.0-only
/*
 * Takes runs that were looked at: asks the floor, reserves them, has workers claim them, a
 * few side by side, and waits for the answers. Which runs, and what to do about a failure, is
 * for unplug.c.
 */
#include <linux/bitmap.h>
#include <linux/mm.h>

#include "machine/hotplug.h"
#include "memory/survey.h"
#include "request/retry.h"
#include "request/take.h"

#define MAX_DRAIN_LOOKS 1024	/* subblocks looked at for a free one */
#define WAIT_STEP (HZ / 10)	/* how late a signal may be seen in a wait */

/**
 * memplug_take_has_room - may this request have one more run in flight
 * @req: the request
 *
 * As many wait as run, so that no worker is idle while the request makes up its mind.
 */
bool memplug_take_has_room(const struct request *req)
{
	return req->nr_in_flight < 2 * memplug_claim_workers();
}

static int verdict_to_errno(enum floor_verdict verdict)
{
	if (verdict == FLOOR_OK)
		return 0;
	return verdict == FLOOR_TOTAL ? -ENOSPC : -EDQUOT;
}

/* The floor has refused; is that final, or only for as long as others are in flight? */
static int refused(struct request *req, int error)
{
	return req->nr_in_flight || memplug_floor_wait(WAIT_STEP) ? -EAGAIN : error;
}

static struct attempt *free_attempt(struct request *req)
{
	unsigned int i = 0;

	while (req->attempts[i].in_flight)
		i++;
	return &req->attempts[i];
}

static int start(struct request *req, struct subblock_run run, const struct look *look,
		 bool give_back)
{
	bool only_wanted = req->only_wanted && !give_back;
	struct attempt *attempt;
	int ret;

	if (memplug_hotplug_exclude())
		return -EAGAIN;
	ret = verdict_to_errno(memplug_floor_reserve(look->place, look->share));
	memplug_hotplug_allow();
	if (ret)
		return refused(req, ret);
	if (!(only_wanted ? memplug_region_reserve_wanted(run) :
			    memplug_region_reserve(run, REGION_UNPLUG))) {
		memplug_floor_unreserve(look->place, look->share);
		return -EALREADY;
	}
	attempt = free_attempt(req);
	attempt->place = look->place;
	attempt->share = look->share;
	attempt->number = req->nr_attempts++;
	attempt->in_flight = true;
	attempt->claim.run = run;
	attempt->claim.landed = &req->landed;
	attempt->claim.mover = request_mover(req);
	attempt->claim.owner = req->owner;
	attempt->claim.only_wanted = only_wanted;
	attempt->claim.give_back = give_back;
	/* not twice: events that come again and again would have it begin again and again */
	attempt->claim.gives_way = !req->gave_way;
	req->nr_in_flight++;
	req->pending += run.nr;
	memplug_claim_start(&attempt->claim, place_node(look->place));
	return 0;
}

/**
 * memplug_take_start - have a run claimed that was looked at
 * @req: on whose behalf; memplug_take_has_room() for it
 * @run: 1 to PLAN_MAX_RUN subblocks
 * @look: what memplug_candidates_look_at() found
 *
 * Return: 0: it is in flight until memplug_take_land() returns it; -ENOSPC or -EDQUOT: the floor
 * refuses, for all memory or for this zone; -EALREADY: another request has some of it;
 * -EAGAIN: ask again when what is in flight has landed, and memory hotplug is over.
 */
int memplug_take_start(struct request *req, struct subblock_run run, const struct look *look)
{
	return start(req, run, look, false);
}

static struct attempt *find_over(struct request *req)
{
	unsigned int i;

	for (i = 0; i < REQUEST_MAX_ATTEMPTS; i++) {
		struct attempt *attempt = &req->attempts[i];

		/* pairs with the release in claim_work(): the result comes with it */
		if (attempt->in_flight && smp_load_acquire(&attempt->claim.over))
			return attempt;
	}
	return NULL;
}

static struct attempt *find_newest(struct request *req)
{
	struct attempt *newest = NULL;
	unsigned int i;

	for (i = 0; i < REQUEST_MAX_ATTEMPTS; i++) {
		struct attempt *attempt = &req->attempts[i];

		if (attempt->in_flight && (!newest || attempt->number > newest->number))
			newest = attempt;
	}
	return newest;
}

/* The newest first: those that have not begun are not to begin while an older one ends. */
static struct attempt *cancel_newest(struct request *req)
{
	struct attempt *newest = find_newest(req);

	if (memplug_claim_cancel(&newest->claim)) {
		memplug_region_abort(newest->claim.run);
		newest->claim.result = -ECANCELED;
	} else {
		wait_for_completion(&req->landed);
	}
	return newest;
}

/*
 * Waits until one is over, but no longer than the request may go on. A completion is taken for
 * each that was not cancelled, so that none of them is still about to complete @landed when
 * the last has landed and the request goes away.
 */
static struct attempt *wait_for_one(struct request *req)
{
	for (;;) {
		long left = wait_for_completion_interruptible_timeout(&req->landed, WAIT_STEP);

		/* woken by what is no reason to stop, and still pending: don't spin on it */
		if (left < 0 && !memplug_request_should_stop(req))
			left = wait_for_completion_killable_timeout(&req->landed, WAIT_STEP);
		if (left > 0)
			return find_over(req);
		if (memplug_request_should_stop(req))
			return cancel_newest(req);
	}
}

/**
 * memplug_take_land - wait for one of the runs in flight
 * @req: the request; something is in flight. When it has to stop, runs that have not begun
 *       are cancelled
 *
 * Context: sleeps. What did not succeed is not reserved any more.
 *
 * Return: the run, good until the next memplug_take_start(). Its claim's result is 0, -ECANCELED,
 * or as struct claim says.
 */
struct attempt *memplug_take_land(struct request *req)
{
	struct attempt *attempt = wait_for_one(req);

	attempt->in_flight = false;
	req->nr_in_flight--;
	req->pending -= attempt->claim.run.nr;
	WRITE_ONCE(req->migrated, req->migrated + attempt->claim.migrated);
	memplug_floor_unreserve(attempt->place, attempt->share);
	if (!attempt->claim.result && !attempt->claim.give_back)
		memplug_retry_zone_gave(req, attempt->place);
	if (!attempt->claim.result || attempt->claim.result == -EAGAIN)
		req->gave_way = attempt->claim.result;
	if (attempt->claim.result != -EAGAIN && attempt->claim.result != -ECANCELED)
		req->drained = !attempt->claim.result;
	return attempt;
}

/**
 * memplug_take_pretend - what memplug_take_start() would say, in a dry run
 * @req: on whose behalf; its books are kept as if
 * @run: 1 to PLAN_MAX_RUN subblocks
 * @look: what memplug_candidates_look_at() found
 *
 * Return: 0, -ENOSPC, -EDQUOT or -EAGAIN as memplug_take_start().
 */
int memplug_take_pretend(struct request *req, struct subblock_run run, const struct look *look)
{
	struct floor_share *share = &req->pretended[look->place];
	struct floor_share more = {
		.nr_pages = share->nr_pages + look->share.nr_pages,
		.nr_free = share->nr_free + look->share.nr_free,
	};
	unsigned long total = (req->done + run.nr) * subblock_pages();
	int ret;

	if (memplug_hotplug_exclude())
		return -EAGAIN;
	ret = verdict_to_errno(memplug_floor_check(look->place, more, total));
	memplug_hotplug_allow();
	if (ret)
		return refused(req, ret);
	*share = more;
	memplug_retry_zone_gave(req, look->place);
	memplug_request_count_done(req, run);
	req->migrated += look->nr_movable;
	return 0;
}

/* Claims and releases this subblock if it is free. Returns whether to go on looking for one. */
static bool drain_with(struct request *req, unsigned long index)
{
	struct subblock_run one = { .first = index, .nr = 1 };
	struct look look = { };
	bool usable = false;

	if (memplug_hotplug_exclude())
		return false;
	if (memplug_region_is_managed(one)) {
		look.place = memplug_region_place(index);
		usable = memplug_survey_all_free(subblock_pfn(index), subblock_pages());
	}
	memplug_hotplug_allow();
	if (!usable)
		return true;

	look.share.nr_pages = subblock_pages();
	look.share.nr_free = subblock_pages();
	switch (start(req, one, &look, true)) {
	case 0:
		memplug_take_land(req);
		return !req->drained;
	case -EALREADY:
	case -EDQUOT:
		/* another zone may have one to spare */
		return true;
	default:
		return false;
	}
}

/* Returns whether to go on looking elsewhere: none of the first of these would do. */
static bool drain_with_one_of(struct request *req, const unsigned long *map)
{
	unsigned long i, looks = 0;

	for_each_set_bit(i, map, req->view.nr) {
		if (++looks > MAX_DRAIN_LOOKS)
			break;
		if (memplug_request_should_stop(req) || !drain_with(req, i))
			return false;
	}
	return true;
}

/**
 * memplug_take_drain - empty the per-CPU LRU batches, if that is needed
 * @req: on whose behalf; its view is used up, and nothing is in flight
 *
 * A failed claim leaves pages in these batches, where the next claim would find them
 * unmovable, for seconds if the machine is quiet. A claim that succeeds anywhere drains
 * them all: one free subblock, which may lie outside of what the request asks for, is
 * taken out and given back at once, under the same floor as any other.
 */
void memplug_take_drain(struct request *req)
{
	struct region_view *view = &req->view;
	struct subblock_run all = { .first = 0, .nr = view->nr };

	if (req->drained)
		return;
	memplug_region_snapshot(REGION_UNPLUG, all, NUMA_NO_NODE, view);
	if (req->low)
		memplug_region_split_low(view->ready, req->low, view->nr);
	if (drain_with_one_of(req, view->ready) && req->low && req->zone != REQUEST_NORMAL)
		drain_with_one_of(req, req->low);
}
