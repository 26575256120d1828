// SPDX-License-Identifier: GPL-2.0-only
/*
 * Claims run here, not in the caller: a caller's cpuset would limit where old kernels may
 * move pages to, and its memory cgroup and signals are none of the claim's business.
 * A few at a time, whatever the number of requests: claims share locks of the kernel and
 * the bandwidth of memory.
 */
#include <linux/cpumask.h>
#include <linux/ktime.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/spinlock.h>

#include "books/books.h"
#include "counters.h"
#include "machine/hotplug.h"
#include "memory/claim.h"
#include "memory/contig.h"
#include "memory/migrated.h"
#include "pause.h"
#include "trace.h"

#define WORKERS_DEFAULT 4	/* at most; docs/kernel.md, "Side by side" */

static struct workqueue_struct *claim_queue;
static unsigned int workers;

/*
 * An unbound queue limits what runs at a time for each node, or for each set of CPUs, by version,
 * and never in all. So a claim is given to it only when it may run.
 */
static struct {
	spinlock_t lock;		/* protects all of it */
	unsigned int taken;		/* claims that the queue has */
	struct list_head waiting;	/* claims that it has not, the oldest first */
} turns = {
	.lock = __SPIN_LOCK_UNLOCKED(turns.lock),
	.waiting = LIST_HEAD_INIT(turns.waiting),
};

/** memplug_claim_workers - how many claims may run at a time */
unsigned int memplug_claim_workers(void)
{
	return workers;
}

/* Puts what has been claimed into the books, unless it is not to stay claimed. */
static bool commit(const struct claim *claim)
{
	if (claim->give_back)
		return false;
	if (claim->only_wanted)
		return memplug_region_commit_wanted(claim->run);
	if (claim->owner)
		memplug_region_commit_taken(claim->run, claim->owner);
	else
		memplug_region_commit(claim->run, REGION_UNPLUG, claim->mover);
	return true;
}

/*
 * What was never in the books goes back, and is still reserved; but never what has got a memory
 * error meanwhile.
 */
static bool give_back(const struct claim *claim)
{
	struct subblock_run run = claim->run;
	unsigned long pfn = subblock_pfn(run.first);
	unsigned long nr_pages = run.nr * subblock_pages();

	if (memplug_contig_find_hwpoison(pfn, nr_pages)) {
		memplug_region_commit(run, REGION_UNPLUG, claim->mover);
		return false;
	}
	memplug_contig_release(pfn, nr_pages);
	memplug_counters_add_release(nr_pages);
	return true;
}

/* Between two pieces of a claim: does nobody want it, or does somebody else have to go first? */
static int should_stop(const void *why)
{
	const struct claim *claim = why;

	if (READ_ONCE(claim->cancelled))
		return -ECANCELED;
	return claim->gives_way && memplug_hotplug_is_waiting() ? -EAGAIN : 0;
}

/**
 * memplug_claim_run - claim a run here and now
 * @claim: all but @landed filled in, and @run reserved; @migrated is result
 *
 * Context: sleeps. Memory hotplug is kept out, or at an event at which the run is online.
 *
 * Return: 0, and the reservation has ended; or it has not: -EALREADY, as nobody wants all of the
 * run any more, or an error of memplug_contig_claim().
 */
int memplug_claim_run(struct claim *claim)
{
	struct subblock_run run = claim->run;
	struct migrated migrated;
	ktime_t started = ktime_get();
	u64 elapsed_ns;
	int ret;

	memplug_migrated_begin(&migrated);
	ret = memplug_contig_claim(subblock_pfn(run.first), run.nr * subblock_pages(),
				   should_stop, claim);
	memplug_migrated_end(&migrated);
	claim->migrated = migrated.pages;
	elapsed_ns = ktime_to_ns(ktime_sub(ktime_get(), started));
	memplug_counters_add_claim(ret ? 0 : run.nr * subblock_pages(), claim->migrated,
				   elapsed_ns);
	trace_memplug_claim(&run, ret, claim->migrated, elapsed_ns);
	if (!ret)
		memplug_pause_at("claimed");
	if (ret || commit(claim) || !give_back(claim))
		return ret;
	if (!claim->give_back)
		return -EALREADY;
	memplug_region_abort(run);
	return 0;
}

static int carry_out(struct claim *claim)
{
	int ret = memplug_hotplug_exclude();

	if (ret)
		return ret;
	ret = memplug_region_is_managed(claim->run) ? memplug_claim_run(claim) : -ENODEV;
	memplug_hotplug_allow();
	return ret;
}

/* On the run's node, where zeroing and copying is cheapest. */
static void give_to_queue(struct claim *claim)
{
	lockdep_assert_held(&turns.lock);
	queue_work_node(claim->nid, claim_queue, &claim->work);
}

/* A claim that the queue had is over, or never to be: it is the turn of the next. */
static void pass_turn_on(void)
{
	struct claim *next;

	spin_lock(&turns.lock);
	if (list_empty(&turns.waiting)) {
		turns.taken--;
	} else {
		next = list_first_entry(&turns.waiting, struct claim, waiting);
		list_del_init(&next->waiting);
		give_to_queue(next);
	}
	spin_unlock(&turns.lock);
}

static void claim_work(struct work_struct *work)
{
	struct claim *claim = container_of(work, struct claim, work);

	memplug_pause_at("reserved");
	claim->result = carry_out(claim);
	if (claim->result)
		memplug_region_abort(claim->run);
	pass_turn_on();
	/* pairs with the acquire in find_over(): who sees it looks at the result */
	smp_store_release(&claim->over, true);
	complete(claim->landed);
}

/**
 * memplug_claim_init - set the workers up
 * @count: how many claims may run at a time, at most WORKER_MAX; 0: as many as help here
 *
 * Freezable: a claim may need I/O to finish, which suspend is about to stop. Unbound, so
 * that a claim that zeroes memory for long does not hold a CPU's other work up; with their
 * CPUs and their niceness in /sys/devices/virtual/workqueue/memplug.
 *
 * Return: 0 or -ENOMEM.
 */
int memplug_claim_init(unsigned int count)
{
	workers = count ?: min_t(unsigned int, num_online_cpus(), WORKERS_DEFAULT);
	/* 0: its own limit is out of the way */
	claim_queue = alloc_workqueue("memplug", WQ_UNBOUND | WQ_FREEZABLE | WQ_SYSFS, 0);
	return claim_queue ? 0 : -ENOMEM;
}

/** memplug_claim_exit - end the workers; nothing is queued any more */
void memplug_claim_exit(void)
{
	destroy_workqueue(claim_queue);
}

/**
 * memplug_claim_start - have a run claimed
 * @claim: what is not result filled in, and @run reserved; stays the worker's until @over is seen
 *         after @landed was completed, or memplug_claim_cancel() has returned
 * @nid: node of the run
 */
void memplug_claim_start(struct claim *claim, int nid)
{
	claim->result = 0;
	claim->migrated = 0;
	claim->cancelled = false;
	claim->over = false;
	claim->nid = nid;
	INIT_LIST_HEAD(&claim->waiting);
	INIT_WORK(&claim->work, claim_work);
	spin_lock(&turns.lock);
	if (turns.taken < workers) {
		turns.taken++;
		give_to_queue(claim);
	} else {
		list_add_tail(&claim->waiting, &turns.waiting);
	}
	spin_unlock(&turns.lock);
}

/* Returns whether it was still waiting, and does not any more. */
static bool stop_waiting(struct claim *claim)
{
	bool waited;

	spin_lock(&turns.lock);
	waited = !list_empty(&claim->waiting);
	list_del_init(&claim->waiting);
	spin_unlock(&turns.lock);
	return waited;
}

/**
 * memplug_claim_cancel - end a claim that is not wanted any more
 * @claim: started before
 *
 * Context: sleeps until a claim that has begun is over. If somebody has asked for it, it gives up
 * between two pieces.
 *
 * Return: true if it had not begun: the run is still reserved; false if it is over, with
 * a result.
 */
bool memplug_claim_cancel(struct claim *claim)
{
	if (stop_waiting(claim))
		return true;
	/* toward a target: another may come at any time, and what is in flight counts for it */
	if (claim->mover == REGION_ASKED)
		WRITE_ONCE(claim->cancelled, true);
	if (!cancel_work_sync(&claim->work))
		return false;
	pass_turn_on();
	return true;
}
