// SPDX-License-Identifier: GPL-2.0-only
/*
 * Gives memory back, for whatever reason: for a request, from a descriptor that is closed, when the
 * machine has none left, and at the end of the module. One subblock at a time, as freeing many
 * pages in one go would stall others. Needs no memory, so that it works when there is none. Knows
 * nothing of requests.
 */
#include <linux/bitmap.h>
#include <linux/nodemask.h>
#include <linux/sched.h>

#include "books/books.h"
#include "counters.h"
#include "machine/hotplug.h"
#include "memory/contig.h"
#include "pause.h"
#include "request/release.h"

static struct subblock_run single(unsigned long index)
{
	return (struct subblock_run){ .first = index, .nr = 1 };
}

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
	if (!memplug_region_is_unplugged(index)) {
		ret = RELEASE_LEFT;
	} else {
		*poisoned = memplug_contig_find_hwpoison(subblock_pfn(index), subblock_pages());
		if (*poisoned)
			ret = RELEASE_POISONED;
	}
	if (ret != RELEASED) {
		memplug_region_abort(single(index));
		return ret;
	}
	memplug_contig_release(subblock_pfn(index), subblock_pages());
	memplug_counters_add_release(subblock_pages());
	memplug_pause_at("released");
	memplug_region_commit(single(index), REGION_PLUG, mover);
	return RELEASED;
}

/**
 * memplug_release_subblock - give a subblock back that is reserved for that
 * @index: subblock
 * @mover: who gives it back
 * @poisoned: result: the first page frame with a memory error, or 0
 *
 * Context: may sleep, no longer than a notifier needs.
 *
 * Return: what became of it; it is not reserved any more.
 */
enum release memplug_release_subblock(unsigned long index, enum region_mover mover,
				      unsigned long *poisoned)
{
	enum release ret;

	memplug_hotplug_exclude_events();
	ret = release_excluded(index, mover, poisoned);
	memplug_hotplug_allow();
	return ret;
}

/**
 * memplug_release_tied - give back what is tied to a descriptor
 * @owner: closed; what of it is mapped stays. What has a page with a memory error stays held, and
 *         is ordinary from then on
 *
 * Context: sleeps.
 */
void memplug_release_tied(const struct region_owner *owner)
{
	unsigned long i, poisoned;

	for (i = memplug_region_next_tied(owner, 0); i != ULONG_MAX;
	     i = memplug_region_next_tied(owner, i + 1)) {
		if (memplug_region_reserve_owned(i, owner) &&
		    memplug_release_subblock(i, REGION_ASKED, &poisoned) == RELEASE_POISONED)
			memplug_region_untie(i);
		cond_resched();
	}
}

/**
 * memplug_release_in_need - give memory back to a machine that has none left
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
unsigned long memplug_release_in_need(unsigned long most, const nodemask_t *nodes)
{
	unsigned long i, poisoned, done = 0;

	if (!memplug_hotplug_try_exclude_events())
		return 0;
	for (i = memplug_region_next_unplugged(0); i != ULONG_MAX && done < most;
	     i = memplug_region_next_unplugged(i + 1)) {
		int nid = memplug_region_node(i);

		if (IS_ALIGNED(i, 1024))
			cond_resched();
		if (nid != NUMA_NO_NODE && node_isset(nid, *nodes) &&
		    memplug_region_reserve_in_need(i) &&
		    release_excluded(i, REGION_NEED, &poisoned) == RELEASED)
			done++;
	}
	memplug_hotplug_allow();
	return done;
}

/* Like memplug_release_subblock(), but a subblock with a memory error goes as well. */
static void give_up(unsigned long index)
{
	unsigned long poisoned;

	memplug_hotplug_exclude_events();
	if (memplug_region_reserve(single(index), REGION_PLUG) &&
	    release_excluded(index, REGION_OWN, &poisoned) == RELEASE_POISONED) {
		memplug_contig_release_around_hwpoison(subblock_pfn(index), subblock_pages());
		memplug_region_commit(single(index), REGION_PLUG, REGION_OWN);
	}
	memplug_hotplug_allow();
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

	memplug_hotplug_exclude_events();
	nothing = !memplug_hotplug_is_under_way() &&
		  memplug_region_next_unplugged(0) == ULONG_MAX &&
		  memplug_region_next_leaving(0) == ULONG_MAX;
	memplug_hotplug_allow();
	return nothing;
}

/**
 * memplug_release_everything - the module is going: give back all that it holds
 *
 * A page with a memory error stays out of use like any other that the kernel has poisoned.
 *
 * Context: sleeps. Nobody makes requests any more.
 */
void memplug_release_everything(void)
{
	const struct subblock_run all = { .first = 0, .nr = ULONG_MAX };
	unsigned long i;

	do {
		memplug_region_drop_wanted(all, NUMA_NO_NODE);
		for (i = memplug_region_next_unplugged(0); i != ULONG_MAX;
		     i = memplug_region_next_unplugged(i + 1))
			give_up(i);
		/* what was about to go offline meanwhile may have come back */
		memplug_hotplug_wait_for_end();
	} while (!is_nothing_held());
}
