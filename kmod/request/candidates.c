// SPDX-License-Identifier: GPL-2.0-only
/*
 * Looks at memory on behalf of a request: what its subblocks would cost, and what is in the
 * way. First for what is free, which takes a few steps a subblock; only when that is used up
 * at pages in use, a portion at a time, so that looking stays cheap beside what the request
 * takes. Changes nothing but the request's books.
 */
#include <linux/bitmap.h>
#include <linux/ktime.h>
#include <linux/memory.h>
#include <linux/mm.h>
#include <linux/string.h>

#include "counters.h"
#include "machine/hotplug.h"
#include "memory/survey.h"
#include "request/candidates.h"

#define PORTION 4	/* times what is missing is looked at before anything is moved */
#define PORTIONS_MAX 16	/* portions that a search for one run takes at most, in each stage */

/* Judges a subblock that was surveyed; returns whether it is to be left out. */
static bool leave_out(struct request *req, unsigned long index, const struct survey *survey)
{
	bool dry_run = request_is(req, MEMPLUG_REQ_DRY_RUN);

	if (!survey->blocker)
		return false;
	/* a dry run makes no claims that would drain what is in flux: take that for granted */
	if (survey->certain || (dry_run && survey->reason != MEMPLUG_REASON_BUSY)) {
		memplug_request_block(req, index, survey->reason, survey->blocker);
		return true;
	}
	if (req->final || dry_run)
		return false;
	__set_bit(index, req->retry);
	return true;
}

static bool is_managed(unsigned long index)
{
	return memplug_region_is_managed((struct subblock_run){ .first = index, .nr = 1 });
}

/* What a subblock costs; what is in the way, or offline, is noted in the request's books. */
static unsigned int judge(struct request *req, unsigned long index, struct survey *survey)
{
	if (!is_managed(index)) {
		memset(survey, 0, sizeof(*survey));
		memplug_request_block(req, index, MEMPLUG_REASON_OFFLINE, 0);
		return PLAN_KEPT;
	}
	memplug_survey_pages(subblock_pfn(index), subblock_pages(), survey);
	if (leave_out(req, index, survey))
		return PLAN_KEPT;
	return memplug_plan_level(subblock_pages() - survey->free, subblock_pages());
}

/**
 * memplug_candidates_look_at - look at a run before it is claimed
 * @req: on whose behalf; what is surely in the way, or offline, is noted there, and what
 *       may be in the way is put off to a later pass
 * @run: 1 to PLAN_MAX_RUN subblocks
 * @look: result
 *
 * Return: 0, or -EAGAIN if memory hotplug is under way.
 */
int memplug_candidates_look_at(struct request *req, struct subblock_run run, struct look *look)
{
	ktime_t started = ktime_get();
	struct survey survey;
	unsigned long i;

	memset(look, 0, sizeof(*look));
	if (memplug_hotplug_exclude())
		return -EAGAIN;
	for (i = 0; i < run.nr; i++) {
		look->cost[i] = judge(req, run.first + i, &survey);
		look->share.nr_free += survey.free;
		look->nr_movable += survey.movable;
		if (look->cost[i] == PLAN_KEPT)
			__set_bit(i, look->bad);
		else
			look->dearest = max_t(unsigned int, look->dearest, look->cost[i]);
	}
	look->share.nr_pages = run.nr * subblock_pages();
	/* with something offline in it the run is not claimed, and has no place to speak of */
	look->place = memplug_region_place(run.first);
	memplug_hotplug_allow();
	memplug_counters_add_survey(ktime_to_ns(ktime_sub(ktime_get(), started)));
	return 0;
}

static void set_all_costs(struct request *req, unsigned int cost)
{
	unsigned long i;

	memset(req->plan.cost, PLAN_FREE, req->view.nr);
	for_each_set_bit(i, req->view.ready, req->view.nr)
		req->plan.cost[i] = cost;
	bitmap_zero(req->plan.splits, req->view.nr);
	memplug_plan_start(&req->plan);
}

/**
 * memplug_candidates_start - begin a pass over what the request's view calls ready, with no costs
 * known
 * @req: with its view
 *
 * A request in address order goes without costs.
 */
void memplug_candidates_start(struct request *req)
{
	struct plan *plan = &req->plan;

	plan->candidates = req->view.ready;
	plan->seams = req->view.seams;
	plan->nr = req->view.nr;
	plan->block = req->by_cost ? memory_block_size_bytes() / subblock_bytes() : 0;
	req->free_looked = req->by_cost ? plan->nr : 0;
	req->used_looked = req->by_cost ? plan->nr : 0;
	set_all_costs(req, req->by_cost ? PLAN_UNKNOWN : PLAN_FREE);
}

/**
 * memplug_candidates_start_again - begin a pass over what was put off, whatever it costs
 * @req: its view says what
 */
void memplug_candidates_start_again(struct request *req)
{
	req->by_cost = false;
	memplug_candidates_start(req);
}

/* How much is to be found before the request goes on with it. */
static unsigned long portion(const struct request *req)
{
	unsigned long missing = request_missing(req);

	if (request_is(req, MEMPLUG_REQ_CONTIGUOUS))
		return max(missing, req->view.nr / PORTIONS_MAX);
	return missing;
}

/* Looks at candidates below *@cursor of which nothing is known, with @look_at_one. */
static void look_at_batch(struct request *req, unsigned long *cursor,
			  void (*look_at_one)(struct request *req, unsigned long index))
{
	struct plan *plan = &req->plan;
	ktime_t started = ktime_get();
	unsigned int left = survey_batch();

	if (memplug_hotplug_exclude()) {
		memplug_hotplug_wait(HZ / 10);
		return;
	}
	while (*cursor && left) {
		unsigned long i = find_last_bit(plan->candidates, *cursor);

		if (i >= *cursor) {
			*cursor = 0;
			break;
		}
		*cursor = i;
		if (plan->cost[i] == PLAN_UNKNOWN) {
			look_at_one(req, i);
			left--;
		}
	}
	memplug_hotplug_allow();
	memplug_counters_add_survey(ktime_to_ns(ktime_sub(ktime_get(), started)));
}

static void look_if_free(struct request *req, unsigned long index)
{
	if (!is_managed(index) || !memplug_survey_all_free(subblock_pfn(index), subblock_pages()))
		return;
	memplug_plan_set_cost(&req->plan, index, PLAN_FREE);
	req->nr_looked++;
}

static void look_at_all_of_it(struct request *req, unsigned long index)
{
	struct survey survey;
	unsigned int cost = judge(req, index, &survey);

	memplug_plan_set_cost(&req->plan, index, cost);
	if (cost == PLAN_KEPT)
		__clear_bit(index, req->plan.candidates);
	else
		req->nr_looked++;
}

static void look_until(struct request *req, unsigned long *cursor, unsigned long wanted,
		       void (*look_at_one)(struct request *req, unsigned long index))
{
	while (*cursor && req->nr_looked < wanted && !memplug_request_should_stop(req))
		look_at_batch(req, cursor, look_at_one);
}

/**
 * memplug_candidates_further - find out what more there is to be had
 * @req: on whose behalf; its plan starts anew
 *
 * Context: sleeps, waits for memory hotplug, and stops when the request has to.
 *
 * Return: false if there is nothing that has not been looked at, or no time for it.
 */
bool memplug_candidates_further(struct request *req)
{
	req->nr_looked = 0;
	look_until(req, &req->free_looked, portion(req), look_if_free);
	if (!req->nr_looked)
		look_until(req, &req->used_looked, PORTION * portion(req), look_at_all_of_it);
	memplug_plan_start(&req->plan);
	return req->nr_looked;
}
