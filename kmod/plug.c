// SPDX-License-Identifier: GPL-2.0
/*
 * Gives memory back: on request, to roll an unplug back, and at the end of the module.
 * One subblock at a time, as freeing many pages in one go would stall others. Needs no
 * memory, so that it works when there is none.
 */
#include <linux/bitmap.h>
#include <linux/sched.h>

#include "contig.h"
#include "counters.h"
#include "hotplug.h"
#include "request.h"

static struct subblock_run single(unsigned long index)
{
	return (struct subblock_run){ .first = index, .nr = 1 };
}

/*
 * Releases one reserved subblock, unless a page of it has a memory error: the kernel must
 * never use that again, so it stays held, and its subblock with it.
 */
static unsigned long release(unsigned long index)
{
	unsigned long poisoned;

	hotplug_exclude_for_release();
	poisoned = contig_find_hwpoison(subblock_pfn(index), subblock_pages());
	if (!poisoned) {
		contig_release(subblock_pfn(index), subblock_pages());
		counters_add_release(subblock_pages());
		region_commit(single(index), REGION_PLUG);
	} else {
		region_abort(single(index));
	}
	hotplug_allow();
	return poisoned;
}

static void plug_subblock(struct request *req, unsigned long index)
{
	unsigned long poisoned;

	if (request_is(req, MEMPLUG_REQ_DRY_RUN)) {
		request_count_done(req, single(index));
	} else if (!region_reserve(single(index), REGION_PLUG)) {
		request_block(req, index, MEMPLUG_REASON_BUSY, 0);
	} else {
		poisoned = release(index);
		if (poisoned)
			request_block(req, index, MEMPLUG_REASON_HWPOISON, poisoned);
		else
			request_count_done(req, single(index));
	}
}

/**
 * plug_run - carry a plug request out, from the lowest address up
 * @req: checked, with its books
 */
void plug_run(struct request *req)
{
	struct region_view *view = &req->view;
	unsigned long i;

	region_snapshot(REGION_PLUG, req->within, req->nid, view);
	req->requested = request_is(req, MEMPLUG_REQ_ALL) ? view->nr_ready : req->length;
	if (request_is(req, MEMPLUG_REQ_RANGE)) {
		req->already = view->nr_already;
		for_each_set_bit(i, view->busy, view->nr)
			request_block(req, i, MEMPLUG_REASON_BUSY, 0);
	}
	for_each_set_bit(i, view->ready, view->nr) {
		if (!request_missing(req) || request_should_stop(req))
			break;
		plug_subblock(req, i);
	}
}

/**
 * plug_back - roll an unplug back
 * @req: what it changed, it changes back; only pages with memory errors stay held
 */
void plug_back(struct request *req)
{
	unsigned long i;

	for_each_set_bit(i, req->changed, req->view.nr) {
		/* somebody else may have plugged it since, or be about to: fine as well */
		if (!request_is(req, MEMPLUG_REQ_DRY_RUN) &&
		    region_reserve(single(i), REGION_PLUG) && release(i))
			continue;
		__clear_bit(i, req->changed);
		WRITE_ONCE(req->done, req->done - 1);
		cond_resched();
	}
}

/**
 * plug_one - give one subblock back that was taken a moment ago
 * @index: it stays held if a page of it has got a memory error, or is gone already if
 *         another request was faster
 */
void plug_one(unsigned long index)
{
	if (region_reserve(single(index), REGION_PLUG))
		release(index);
}

/**
 * plug_everything - the module is going: give back all that it holds
 *
 * A page with a memory error stays out of use like any other that the kernel has poisoned.
 *
 * Context: sleeps. Nobody makes requests any more.
 */
void plug_everything(void)
{
	unsigned long i;

	for (i = region_next_unplugged(0); i != ULONG_MAX; i = region_next_unplugged(i + 1)) {
		region_reserve(single(i), REGION_PLUG);
		if (release(i)) {
			contig_release_around_hwpoison(subblock_pfn(i), subblock_pages());
			region_commit(single(i), REGION_PLUG);
		}
		cond_resched();
	}
}
