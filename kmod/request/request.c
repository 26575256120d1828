// SPDX-License-Identifier: GPL-2.0-only
/*
 * What every request has, whatever it asks for: its beginning and its end, its deadline and its
 * signals, and the account of what came of it. Carried out it is by dispatch.c.
 */
#include <linux/bitmap.h>
#include <linux/freezer.h>
#include <linux/mm.h>
#include <linux/nodemask.h>
#include <linux/slab.h>

#include "request/release.h"
#include "request/request.h"
#include "request/signals.h"
#include "trace.h"

/**
 * memplug_request_alloc - an empty request
 *
 * Return: the request, for the caller to say what is asked, or NULL.
 */
struct request *memplug_request_alloc(void)
{
	struct request *req = kvzalloc(sizeof(*req), GFP_KERNEL);

	if (req) {
		req->nid = NUMA_NO_NODE;
		req->started = ktime_get();
		init_completion(&req->landed);
	}
	return req;
}

/**
 * memplug_request_free - end of a request; nothing that it did is undone
 * @req: may be NULL
 */
void memplug_request_free(struct request *req)
{
	if (!req)
		return;
	kvfree(req->changed);
	kvfree(req->missed);
	kvfree(req->retry);
	kvfree(req->view.ready);
	kvfree(req->view.busy);
	kvfree(req->view.seams);
	kvfree(req->plan.splits);
	kvfree(req->plan.cost);
	kvfree(req->zone_refusals);
	kvfree(req->pretended);
	kvfree(req->low);
	kvfree(req);
}

/**
 * memplug_request_narrow_to_zone - leave in the view what the request takes from at the moment
 * @req: with its view, just read
 */
void memplug_request_narrow_to_zone(struct request *req)
{
	struct region_view *view = &req->view;

	if (req->zone == REQUEST_ANY)
		return;
	/* no map, no such zones */
	if (req->low)
		memplug_region_split_low(view->ready, req->low, view->nr);
	if (req->zone == REQUEST_LOW && req->low)
		bitmap_copy(view->ready, req->low, view->nr);
	else if (req->zone == REQUEST_LOW)
		bitmap_zero(view->ready, view->nr);
	view->nr_ready = bitmap_weight(view->ready, view->nr);
}

static bool is_late(const struct request *req)
{
	return req->timeout_ns &&
	       ktime_to_ns(ktime_sub(ktime_get(), req->started)) >= req->timeout_ns;
}

/**
 * memplug_request_should_stop - is it time to begin nothing new
 * @req: a request; its @stop is set if so
 *
 * Context: of the task that carries the request out, with no lock held: the place where
 * it lets others run and where it can be frozen.
 */
bool memplug_request_should_stop(struct request *req)
{
	cond_resched();
	try_to_freeze();
	if (req->stop == MEMPLUG_STOP_NONE) {
		if (memplug_signals_are_due() || (req->cancelled && READ_ONCE(*req->cancelled)))
			req->stop = MEMPLUG_STOP_INTERRUPTED;
		else if (is_late(req))
			req->stop = MEMPLUG_STOP_TIMEOUT;
	}
	return req->stop != MEMPLUG_STOP_NONE;
}

/**
 * memplug_request_enter - have what is unplugged be this request's until memplug_request_settle()
 * @req: an unplug, about to begin
 *
 * Not if it never gives back what it took, or if that is tied to a descriptor, whose it is then.
 *
 * Context: sleeps while REGION_MAX_REQUESTS others run.
 *
 * Return: false if the request has to stop before its turn has come.
 */
bool memplug_request_enter(struct request *req)
{
	if (req->owner || req->background || request_is(req, MEMPLUG_REQ_DRY_RUN))
		return true;
	req->own.is_request = true;
	while (memplug_region_enter_owner(&req->own)) {
		if (memplug_request_should_stop(req))
			return false;
		schedule_timeout_uninterruptible(HZ / 50);
	}
	req->owner = &req->own;
	return true;
}

/**
 * memplug_request_count_done - subblocks were changed
 * @req: on whose behalf
 * @run: them
 */
void memplug_request_count_done(struct request *req, struct subblock_run run)
{
	bitmap_set(req->changed, run.first, run.nr);
	WRITE_ONCE(req->done, req->done + run.nr);
}

/**
 * memplug_request_block - a subblock could not be had
 * @req: the request that wanted it
 * @index: subblock
 * @reason: MEMPLUG_REASON_*
 * @pfn: page frame in the way, or 0
 */
void memplug_request_block(struct request *req, unsigned long index, u32 reason, unsigned long pfn)
{
	trace_memplug_blocked(req, index, reason, pfn);
	if (req->missed)
		__set_bit(index, req->missed);
	memplug_blockers_add(&req->blockers, index, reason, pfn, memplug_region_node(index));
}

/*
 * Is a subblock that this request took not its any more, as a machine without memory got it back,
 * or has it gone back now? Of what went offline, that it is not wanted any more is enough.
 */
static bool take_back(const struct request *req, unsigned long index)
{
	unsigned long poisoned;

	return !memplug_region_reserve_owned(index, req->owner) ||
	       memplug_release_subblock(index, request_mover(req), &poisoned) != RELEASE_POISONED;
}

/**
 * memplug_request_roll_back - roll an unplug back
 * @req: not settled; what it changed, it changes back; only what has pages with memory errors
 *       stays held
 */
void memplug_request_roll_back(struct request *req)
{
	unsigned long i;

	for_each_set_bit(i, req->changed, req->view.nr) {
		if (!request_is(req, MEMPLUG_REQ_DRY_RUN) && !take_back(req, i))
			continue;
		__clear_bit(i, req->changed);
		WRITE_ONCE(req->done, req->done - 1);
		cond_resched();
	}
}

/**
 * memplug_request_settle - what an unplug took is not given back any more
 * @req: over; it may have failed
 */
void memplug_request_settle(struct request *req)
{
	if (req->owner)
		memplug_region_settle(req->owner);
	if (req->owner == &req->own)
		memplug_region_leave_owner(&req->own);
	req->owner = NULL;
}

/**
 * memplug_request_next_range - walk over what a request changed
 * @req: over
 * @from: where to go on; 0, then the end of the last result
 * @run: result: the next stretch of one place
 *
 * Return: false if there is none left.
 */
bool memplug_request_next_range(const struct request *req, unsigned long from,
				struct subblock_run *run)
{
	unsigned long nr = req->view.nr;
	unsigned long first = find_next_bit(req->changed, nr, from);
	unsigned long end;

	if (first >= nr)
		return false;
	end = find_next_zero_bit(req->changed, nr, first);
	if (first + 1 < end)
		end = find_next_bit(req->view.seams, end, first + 1);
	run->first = first;
	run->nr = end - first;
	return true;
}
