// SPDX-License-Identifier: GPL-2.0
/*
 * Gives memory back: on request, to roll an unplug back, and at the end of the module.
 * One subblock at a time, as freeing many pages in one go would stall others. Needs no
 * memory, so that it works when there is none.
 */
#include <linux/bitmap.h>
#include <linux/nodemask.h>
#include <linux/sched.h>

#include "memory/contig.h"
#include "counters.h"
#include "memory/hotplug.h"
#include "request/request.h"

static struct subblock_run single(unsigned long index)
{
	return (struct subblock_run){ .first = index, .nr = 1 };
}

/* What became of a subblock that was to be released. */
enum release {
	RELEASED,
	RELEASE_POISONED,	/* it stays held, with this page frame */
	RELEASE_LEFT,		/* its memory block has gone offline, or is about to */
};

/*
 * Releases one reserved subblock, unless a page of it has a memory error: the kernel must
 * never use that again, so it stays held, and its subblock with it. Under the exclusion for
 * releases.
 */
static enum release release_excluded(unsigned long index, enum region_mover mover,
				     unsigned long *poisoned)
{
	enum release ret = RELEASED;

	*poisoned = 0;
	if (!region_is_unplugged(index)) {
		ret = RELEASE_LEFT;
	} else {
		*poisoned = contig_find_hwpoison(subblock_pfn(index), subblock_pages());
		if (*poisoned)
			ret = RELEASE_POISONED;
	}
	if (ret != RELEASED) {
		region_abort(single(index));
		return ret;
	}
	contig_release(subblock_pfn(index), subblock_pages());
	counters_add_release(subblock_pages());
	region_commit(single(index), REGION_PLUG, mover);
	return RELEASED;
}

static enum release release(unsigned long index, enum region_mover mover, unsigned long *poisoned)
{
	enum release ret;

	hotplug_exclude_events();
	ret = release_excluded(index, mover, poisoned);
	hotplug_allow();
	return ret;
}

static void plug_subblock(struct request *req, unsigned long index)
{
	unsigned long poisoned;

	if (request_is(req, MEMPLUG_REQ_DRY_RUN)) {
		request_count_done(req, single(index));
	} else if (!region_reserve(single(index), REGION_PLUG)) {
		request_block(req, index, region_hold(index), 0);
	} else {
		switch (release(index, request_mover(req), &poisoned)) {
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

/*
 * Is a subblock that this request took not its any more, as a machine without memory got it back,
 * or has it gone back now? Of what went offline, that it is not wanted any more is enough.
 */
static bool take_back(const struct request *req, unsigned long index)
{
	unsigned long poisoned;

	return !region_reserve_owned(index, req->owner) ||
	       release(index, request_mover(req), &poisoned) != RELEASE_POISONED;
}

/**
 * plug_back - roll an unplug back
 * @req: not settled; what it changed, it changes back; only what has pages with memory errors
 *       stays held
 */
void plug_back(struct request *req)
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
 * plug_tied - give back what is tied to a descriptor
 * @owner: closed; what of it is mapped stays. What has a page with a memory error stays held, and
 *         is ordinary from then on
 *
 * Context: sleeps.
 */
void plug_tied(const struct region_owner *owner)
{
	unsigned long i, poisoned;

	for (i = region_next_tied(owner, 0); i != ULONG_MAX; i = region_next_tied(owner, i + 1)) {
		if (region_reserve_owned(i, owner) &&
		    release(i, REGION_ASKED, &poisoned) == RELEASE_POISONED)
			region_untie(i);
		cond_resched();
	}
}

/**
 * plug_in_need - give memory back to a machine that has none left
 * @most: subblocks
 * @nodes: where memory helps
 *
 * From the lowest address up, what is neither tied nor mapped: also what a request has taken that
 * still runs. Nothing for now if memory hotplug, or a claim that it waits for, is in the way.
 *
 * Context: waits for nobody, but may let others run; allocates nothing.
 *
 * Return: how many were given back.
 */
unsigned long plug_in_need(unsigned long most, const nodemask_t *nodes)
{
	unsigned long i, poisoned, done = 0;

	if (!hotplug_try_exclude_events())
		return 0;
	for (i = region_next_unplugged(0); i != ULONG_MAX && done < most;
	     i = region_next_unplugged(i + 1)) {
		int nid = region_node(i);

		if (IS_ALIGNED(i, 1024))
			cond_resched();
		if (nid != NUMA_NO_NODE && node_isset(nid, *nodes) &&
		    region_reserve_in_need(i) &&
		    release_excluded(i, REGION_NEED, &poisoned) == RELEASED)
			done++;
	}
	hotplug_allow();
	return done;
}

/* Like release(), but a subblock with a memory error goes as well. */
static void give_up(unsigned long index)
{
	unsigned long poisoned;

	hotplug_exclude_events();
	if (region_reserve(single(index), REGION_PLUG) &&
	    release_excluded(index, REGION_OWN, &poisoned) == RELEASE_POISONED) {
		contig_release_around_hwpoison(subblock_pfn(index), subblock_pages());
		region_commit(single(index), REGION_PLUG, REGION_OWN);
	}
	hotplug_allow();
	cond_resched();
}

/*
 * Nothing is held, and nothing can come to be: what is not unplugged does not begin to leave, and
 * what is leaving may stay. All of that at one moment, as an offline that is refused may be tried
 * again and again.
 */
static bool is_nothing_held(void)
{
	bool nothing;

	hotplug_exclude_events();
	nothing = !hotplug_is_under_way() && region_next_unplugged(0) == ULONG_MAX &&
		  region_next_leaving(0) == ULONG_MAX;
	hotplug_allow();
	return nothing;
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
	const struct subblock_run all = { .first = 0, .nr = ULONG_MAX };
	unsigned long i;

	do {
		region_drop_wanted(all, NUMA_NO_NODE);
		for (i = region_next_unplugged(0); i != ULONG_MAX; i = region_next_unplugged(i + 1))
			give_up(i);
		/* what was about to go offline meanwhile may have come back */
		hotplug_wait_for_end();
	} while (!is_nothing_held());
}
