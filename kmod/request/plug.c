// SPDX-License-Identifier: GPL-2.0-only
/* Carries a plug request out. */
#include <linux/bitmap.h>

#include "request/plug.h"
#include "request/release.h"
#include "request/request.h"

static struct subblock_run single(unsigned long index)
{
	return (struct subblock_run){ .first = index, .nr = 1 };
}

static void plug_subblock(struct request *req, unsigned long index)
{
	unsigned long poisoned;

	if (request_is(req, MEMPLUG_REQ_DRY_RUN)) {
		memplug_request_count_done(req, single(index));
	} else if (!memplug_region_reserve(single(index), REGION_PLUG)) {
		memplug_request_block(req, index, memplug_region_hold(index), 0);
	} else {
		switch (memplug_release_subblock(index, request_mover(req), &poisoned)) {
		case RELEASED:
			memplug_request_count_done(req, single(index));
			break;
		case RELEASE_POISONED:
			memplug_request_block(req, index, MEMPLUG_REASON_HWPOISON, poisoned);
			break;
		case RELEASE_LEFT:
			memplug_request_block(req, index, MEMPLUG_REASON_OFFLINE, 0);
			break;
		}
	}
}

/**
 * memplug_plug_run - carry a plug request out, from the lowest address up
 * @req: checked, with its books
 */
void memplug_plug_run(struct request *req)
{
	struct region_view *view = &req->view;
	unsigned long i;

	/* who names it, or everything, does not want it unplugged when it comes back either */
	if ((req->flags & (MEMPLUG_REQ_ALL | MEMPLUG_REQ_RANGE)) &&
	    !request_is(req, MEMPLUG_REQ_DRY_RUN))
		memplug_region_drop_wanted(req->within, req->nid);
	memplug_region_snapshot(REGION_PLUG, req->within, req->nid, view);
	req->requested = request_is(req, MEMPLUG_REQ_ALL) ? view->nr_ready : req->length;
	if (request_is(req, MEMPLUG_REQ_RANGE)) {
		req->already = view->nr_already;
		for_each_set_bit(i, view->busy, view->nr)
			memplug_request_block(req, i, memplug_region_hold(i), 0);
	} else {
		req->left = view->nr_held;
	}
	for_each_set_bit(i, view->ready, view->nr) {
		if (!request_missing(req) || memplug_request_should_stop(req))
			break;
		plug_subblock(req, i);
	}
}
