// SPDX-License-Identifier: GPL-2.0
/*
 * Takes one run: looks at it, asks the floor, reserves it, has a worker claim it, and
 * keeps the request's books. Which run, and what to do about a failure, is for unplug.c.
 */
#include <linux/bitmap.h>
#include <linux/mm.h>
#include <linux/sizes.h>

#include "counters.h"
#include "hotplug.h"
#include "survey.h"
#include "take.h"

#define MAX_DRAIN_LOOKS 1024	/* subblocks looked at for a free one */
#define WAIT_STEP (HZ / 10)	/* how late a signal may be seen in a wait */

/**
 * take_longest_run - subblocks that one claim may have
 *
 * Where claimed pages are zeroed, kernels up to 6.1 do that without a break: the length of
 * a run is the length of a stall (docs/kernel.md, "Zeroing").
 */
unsigned long take_longest_run(void)
{
	u64 bytes = want_init_on_alloc(0) ? SZ_16M : SZ_64M;

	return clamp_t(u64, bytes / subblock_bytes(), 1, PLAN_MAX_RUN);
}

/* Judges one subblock of a run before it is claimed; returns whether it is to be left out. */
static bool leave_out(struct request *req, unsigned long index, const struct survey *survey)
{
	bool dry_run = request_is(req, MEMPLUG_REQ_DRY_RUN);

	if (!survey->blocker)
		return false;
	/* a dry run makes no claims that would drain what is in flux: take that for granted */
	if (survey->certain || (dry_run && survey->reason != MEMPLUG_REASON_BUSY)) {
		request_block(req, index, survey->reason, survey->blocker);
		return true;
	}
	if (req->final || dry_run)
		return false;
	__set_bit(index, req->retry);
	return true;
}

/**
 * take_look - look at a run before it is claimed
 * @req: on whose behalf; what is surely in the way, or offline, is noted there, and what
 *       may be in the way is put off to a later pass
 * @run: 1 to PLAN_MAX_RUN subblocks
 * @look: result
 *
 * Return: 0, or -EAGAIN if memory hotplug is under way.
 */
int take_look(struct request *req, struct subblock_run run, struct look *look)
{
	ktime_t started = ktime_get();
	struct survey survey;
	unsigned long i;

	memset(look, 0, sizeof(*look));
	if (hotplug_exclude())
		return -EAGAIN;
	for (i = 0; i < run.nr; i++) {
		unsigned long index = run.first + i;
		struct subblock_run one = { .first = index, .nr = 1 };

		if (!region_is_managed(one)) {
			request_block(req, index, MEMPLUG_REASON_OFFLINE, 0);
			__set_bit(i, look->bad);
			continue;
		}
		survey_pages(subblock_pfn(index), subblock_pages(), &survey);
		look->zone = page_zone(pfn_to_page(subblock_pfn(index)));
		look->share.nr_free += survey.free;
		look->nr_movable += survey.movable;
		if (leave_out(req, index, &survey))
			__set_bit(i, look->bad);
	}
	look->share.nr_pages = run.nr * subblock_pages();
	hotplug_allow();
	counters_add_survey(ktime_to_ns(ktime_sub(ktime_get(), started)));
	return 0;
}

/* Waits for a claim, but no longer than the request may go on. */
static int wait_for_claim(struct request *req, struct claim *claim)
{
	for (;;) {
		long left = wait_for_completion_interruptible_timeout(&claim->done, WAIT_STEP);

		if (left > 0)
			return claim->result;
		if (request_should_stop(req)) {
			if (!worker_cancel(claim))
				return claim->result;
			region_abort(claim->run);
			return -ECANCELED;
		}
		/* woken by what is no reason to stop, and still pending: don't spin on it */
		if (left < 0 &&
		    wait_for_completion_killable_timeout(&claim->done, WAIT_STEP) > 0)
			return claim->result;
	}
}

static int verdict_to_errno(enum floor_verdict verdict)
{
	if (verdict == FLOOR_OK)
		return 0;
	return verdict == FLOOR_TOTAL ? -ENOSPC : -EDQUOT;
}

/**
 * take_run - have a run claimed that was looked at
 * @req: on whose behalf; its books are kept
 * @run: 1 to PLAN_MAX_RUN subblocks
 * @look: what take_look() found
 *
 * Return: 0; -ENOSPC or -EDQUOT: the floor refuses, for all memory or for this zone;
 * -EALREADY: another request has some of it; -EAGAIN: ask again, others are in flight or
 * memory hotplug is under way; -ECANCELED: time to stop; -ENODEV: some of it went offline;
 * or an error of contig_claim().
 */
int take_run(struct request *req, struct subblock_run run, const struct look *look)
{
	struct claim *claim = &req->claim;
	int ret = verdict_to_errno(floor_reserve(look->zone, look->share));

	if (ret)
		return floor_wait(WAIT_STEP) ? -EAGAIN : ret;
	if (region_reserve(run, REGION_UNPLUG)) {
		claim->run = run;
		worker_start(claim);
		ret = wait_for_claim(req, claim);
		WRITE_ONCE(req->migrated, req->migrated + claim->migrated);
	} else {
		ret = -EALREADY;
	}
	floor_unreserve(look->zone, look->share);
	if (!ret)
		request_count_done(req, run);
	if (ret != -EAGAIN && ret != -ECANCELED && ret != -EALREADY)
		req->drained = !ret;
	return ret;
}

/**
 * take_pretend - what take_run() would say, in a dry run
 * @req: on whose behalf; its books are kept as if
 * @run: 1 to PLAN_MAX_RUN subblocks
 * @look: what take_look() found
 *
 * Return: 0, -ENOSPC, -EDQUOT or -EAGAIN as take_run().
 */
int take_pretend(struct request *req, struct subblock_run run, const struct look *look)
{
	struct floor_share *share = &req->pretended[zone_to_nid(look->zone)];
	struct floor_share more = {
		.nr_pages = share->nr_pages + look->share.nr_pages,
		.nr_free = share->nr_free + look->share.nr_free,
	};
	unsigned long total = (req->done + run.nr) * subblock_pages();
	int ret = verdict_to_errno(floor_check(look->zone, more, total));

	if (ret)
		return floor_wait(WAIT_STEP) ? -EAGAIN : ret;
	*share = more;
	request_count_done(req, run);
	req->migrated += look->nr_movable;
	return 0;
}

/* Claims and releases one free subblock, the lowest there is. Returns false at its end. */
static bool drain_with(struct request *req, unsigned long index)
{
	struct subblock_run one = { .first = index, .nr = 1 };
	struct survey survey;
	struct zone *zone;
	struct floor_share share;
	bool usable = false;

	if (hotplug_exclude())
		return false;
	if (region_is_managed(one)) {
		zone = page_zone(pfn_to_page(subblock_pfn(index)));
		survey_pages(subblock_pfn(index), subblock_pages(), &survey);
		usable = survey.free == subblock_pages();
	}
	hotplug_allow();
	if (!usable)
		return true;

	share.nr_pages = subblock_pages();
	share.nr_free = subblock_pages();
	if (floor_reserve(zone, share) != FLOOR_OK)
		return false;
	if (region_reserve(one, REGION_UNPLUG)) {
		req->claim.run = one;
		worker_start(&req->claim);
		if (!wait_for_claim(req, &req->claim)) {
			req->drained = true;
			plug_one(index);
		}
	}
	floor_unreserve(zone, share);
	return !req->drained;
}

/**
 * take_drain - empty the per-CPU LRU batches, if that is needed
 * @req: on whose behalf; its view is used up
 *
 * A failed claim leaves pages in these batches, where the next claim would find them
 * unmovable, for seconds if the machine is quiet. A claim that succeeds anywhere drains
 * them all: one free subblock, which may lie outside of what the request asks for, is
 * taken out and given back at once, under the same floor as any other.
 */
void take_drain(struct request *req)
{
	struct region_view *view = &req->view;
	struct subblock_run all = { .first = 0, .nr = view->nr };
	unsigned long i, looks = 0;

	if (req->drained)
		return;
	region_snapshot(REGION_UNPLUG, all, NUMA_NO_NODE, view);
	for_each_set_bit(i, view->ready, view->nr)
		if (++looks > MAX_DRAIN_LOOKS || request_should_stop(req) ||
		    !drain_with(req, i))
			break;
}
