// SPDX-License-Identifier: GPL-2.0
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
		request_count_done(req, single(index));
	} else if (!region_reserve(single(index), REGION_PLUG)) {
		request_block(req, index, region_hold(index), 0);
	} else {
		switch (release_subblock(index, request_mover(req), &poisoned)) {
		case RELEASED:
			request_count_done(req, single(index));
			break;
		case RELEASE_POISONED:
			request_block(req, index, MEMPLUG_REASON_HWPOISON, poisoned);
			break;
		case RELEASE_LEFT:
			request_block(req, index, MEMPLUG_REASON_OFFLINE, 0);
			break;
		}
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

	/* who names it, or everything, does not want it unplugged when it comes back either */
	if ((req->flags & (MEMPLUG_REQ_ALL | MEMPLUG_REQ_RANGE)) &&
	    !request_is(req, MEMPLUG_REQ_DRY_RUN))
		region_drop_wanted(req->within, req->nid);
	region_snapshot(REGION_PLUG, req->within, req->nid, view);
	req->requested = request_is(req, MEMPLUG_REQ_ALL) ? view->nr_ready : req->length;
	if (request_is(req, MEMPLUG_REQ_RANGE)) {
		req->already = view->nr_already;
		for_each_set_bit(i, view->busy, view->nr)
			request_block(req, i, region_hold(i), 0);
	} else {
		req->left = view->nr_held;
	}
	for_each_set_bit(i, view->ready, view->nr) {
		if (!request_missing(req) || request_should_stop(req))
			break;
		plug_subblock(req, i);
	}
}
