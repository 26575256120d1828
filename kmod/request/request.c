// SPDX-License-Identifier: GPL-2.0
/*
 * The life of a request: checks it against what is managed, gives it its books, watches
 * its deadline and its signals, and tells what came of it. How memory is taken and given
 * back is the business of unplug.c and plug.c.
 */
#include <linux/freezer.h>
#include <linux/mm.h>
#include <linux/nodemask.h>
#include <linux/slab.h>

#include "counters.h"
#include "device/inspect.h"
#include "request/request.h"
#include "request/signals.h"
#include "trace.h"

/**
 * request_alloc - an empty request
 *
 * Return: the request, for the caller to say what is asked, or NULL.
 */
struct request *request_alloc(void)
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
 * request_free - end of a request; nothing that it did is undone
 * @req: may be NULL
 */
void request_free(struct request *req)
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
	kvfree(req);
}

static unsigned long *alloc_map(unsigned long nr)
{
	/* one more: a machine with nothing to manage has no bits at all */
	return kvcalloc(BITS_TO_LONGS(nr) + 1, sizeof(long), GFP_KERNEL);
}

static int alloc_books(struct request *req)
{
	unsigned long nr = region_nr();

	req->view.nr = nr;
	req->changed = alloc_map(nr);
	req->retry = alloc_map(nr);
	req->view.ready = alloc_map(nr);
	req->view.busy = alloc_map(nr);
	req->view.seams = alloc_map(nr);
	req->plan.splits = alloc_map(nr);
	req->plan.cost = kvcalloc(nr + 1, sizeof(*req->plan.cost), GFP_KERNEL);
	req->zone_refusals = kvcalloc(nr_node_ids, sizeof(*req->zone_refusals), GFP_KERNEL);
	if (!req->changed || !req->retry || !req->view.ready || !req->view.busy ||
	    !req->view.seams || !req->plan.splits || !req->plan.cost || !req->zone_refusals)
		return -ENOMEM;
	if (req->background) {
		req->missed = alloc_map(nr);
		if (!req->missed)
			return -ENOMEM;
	}
	if (request_is(req, MEMPLUG_REQ_DRY_RUN)) {
		req->pretended = kvcalloc(nr_node_ids, sizeof(*req->pretended), GFP_KERNEL);
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
	     (request_is(req, MEMPLUG_REQ_WINDOW) && !region_has_managed(req->within))) &&
	    inspect_find_unmanaged(req->within, &req->bad, &req->bad_why))
		return -ENXIO;
	return 0;
}

static bool is_late(const struct request *req)
{
	return req->timeout_ns &&
	       ktime_to_ns(ktime_sub(ktime_get(), req->started)) >= req->timeout_ns;
}

/**
 * request_should_stop - is it time to begin nothing new
 * @req: a request; its @stop is set if so
 *
 * Context: of the task that carries the request out, with no lock held: the place where
 * it lets others run and where it can be frozen.
 */
bool request_should_stop(struct request *req)
{
	cond_resched();
	try_to_freeze();
	if (req->stop == MEMPLUG_STOP_NONE) {
		if (signals_are_due() || (req->cancelled && READ_ONCE(*req->cancelled)))
			req->stop = MEMPLUG_STOP_INTERRUPTED;
		else if (is_late(req))
			req->stop = MEMPLUG_STOP_TIMEOUT;
	}
	return req->stop != MEMPLUG_STOP_NONE;
}

/**
 * request_enter - have what is unplugged be this request's until request_settle()
 * @req: an unplug, about to begin
 *
 * Not if it never gives back what it took, or if that is tied to a descriptor, whose it is then.
 *
 * Context: sleeps while REGION_MAX_REQUESTS others run.
 *
 * Return: false if the request has to stop before its turn has come.
 */
bool request_enter(struct request *req)
{
	if (req->owner || req->background || request_is(req, MEMPLUG_REQ_DRY_RUN))
		return true;
	req->own.is_request = true;
	while (region_enter_owner(&req->own)) {
		if (request_should_stop(req))
			return false;
		schedule_timeout_uninterruptible(HZ / 50);
	}
	req->owner = &req->own;
	return true;
}

/**
 * request_count_done - subblocks were changed
 * @req: on whose behalf
 * @run: them
 */
void request_count_done(struct request *req, struct subblock_run run)
{
	bitmap_set(req->changed, run.first, run.nr);
	WRITE_ONCE(req->done, req->done + run.nr);
}

/**
 * request_block - a subblock could not be had
 * @req: the request that wanted it
 * @index: subblock
 * @reason: MEMPLUG_REASON_*
 * @pfn: page frame in the way, or 0
 */
void request_block(struct request *req, unsigned long index, u32 reason, unsigned long pfn)
{
	trace_memplug_blocked(req, index, reason, pfn);
	if (req->missed)
		__set_bit(index, req->missed);
	blockers_add(&req->blockers, index, reason, pfn, region_node(index));
}

static void conclude(struct request *req)
{
	if (!request_missing(req))
		req->stop = MEMPLUG_STOP_NONE;
	else if (req->stop == MEMPLUG_STOP_NONE)
		req->stop = req->floor_refused ? MEMPLUG_STOP_FLOOR : MEMPLUG_STOP_EXHAUSTED;
	req->elapsed_ns = ktime_to_ns(ktime_sub(ktime_get(), req->started));
	trace_memplug_request_end(req);
	if (!request_is(req, MEMPLUG_REQ_DRY_RUN) && !req->background)
		counters_add_request(req->operation, req->stop);
}

/**
 * request_run - carry a request out
 * @req: with what is asked filled in, and free of contradictions
 *
 * Context: of a task that may sleep for as long as it takes. Signals and the deadline stop
 * it after the runs in flight. Ends with request_settle(), whatever it returns; until then nobody
 * else plugs or maps what it took.
 *
 * Return: 0 with the results in @req, however little was done; -ENXIO if the place is not
 * managed memory; -ENOMEM. With an error nothing has changed.
 */
int request_run(struct request *req)
{
	int ret;

	ret = check_place(req);
	if (!ret)
		ret = alloc_books(req);
	if (ret)
		return ret;
	trace_memplug_request_start(req);
	if (req->operation == MEMPLUG_OP_UNPLUG)
		unplug_run(req);
	else
		plug_run(req);
	conclude(req);
	return 0;
}

/**
 * request_undo - give back what an unplug took, as if it had never been
 * @req: over, and not settled
 */
void request_undo(struct request *req)
{
	if (req->operation == MEMPLUG_OP_UNPLUG && !request_is(req, MEMPLUG_REQ_DRY_RUN))
		plug_back(req);
}

/**
 * request_settle - what an unplug took is not given back any more
 * @req: over; it may have failed
 */
void request_settle(struct request *req)
{
	if (req->owner)
		region_settle(req->owner);
	if (req->owner == &req->own)
		region_leave_owner(&req->own);
	req->owner = NULL;
}

/**
 * request_next_range - walk over what a request changed
 * @req: over
 * @from: where to go on; 0, then the end of the last result
 * @run: result: the next stretch of one node
 *
 * Return: false if there is none left.
 */
bool request_next_range(const struct request *req, unsigned long from, struct subblock_run *run)
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
