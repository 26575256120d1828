// SPDX-License-Identifier: GPL-2.0
/*
 * Claims run here, not in the caller: a caller's cpuset would limit where old kernels may
 * move pages to, and its memory cgroup and signals are none of the claim's business.
 * One worker, so runs of several requests take turns.
 */
#include <linux/ktime.h>

#include "contig.h"
#include "counters.h"
#include "hotplug.h"
#include "region.h"
#include "worker.h"

static struct workqueue_struct *claim_queue;

static int carry_out(struct claim *claim)
{
	struct subblock_run run = claim->run;
	int ret = hotplug_exclude();

	if (ret)
		return ret;
	if (!region_is_managed(run)) {
		ret = -ENODEV;
	} else {
		ktime_t started = ktime_get();

		ret = contig_claim(subblock_pfn(run.first), run.nr * subblock_pages(),
				   &claim->migrated);
		counters_add_claim(ret ? 0 : run.nr * subblock_pages(), claim->migrated,
				   ktime_to_ns(ktime_sub(ktime_get(), started)));
		if (!ret)
			region_commit(run, REGION_UNPLUG);
	}
	hotplug_allow();
	return ret;
}

static void claim_work(struct work_struct *work)
{
	struct claim *claim = container_of(work, struct claim, work);

	claim->result = carry_out(claim);
	if (claim->result)
		region_abort(claim->run);
	complete(&claim->done);
}

/**
 * worker_init - set the worker up
 *
 * Freezable: a claim may need I/O to finish, which suspend is about to stop.
 *
 * Return: 0 or -ENOMEM.
 */
int worker_init(void)
{
	claim_queue = alloc_ordered_workqueue("memplug", WQ_FREEZABLE);
	return claim_queue ? 0 : -ENOMEM;
}

/** worker_exit - end the worker; nothing is queued any more */
void worker_exit(void)
{
	destroy_workqueue(claim_queue);
}

/**
 * worker_start - have a run claimed
 * @claim: with @run filled in and reserved; stays the worker's until @done is completed
 *         or worker_cancel() has returned
 */
void worker_start(struct claim *claim)
{
	claim->result = 0;
	claim->migrated = 0;
	init_completion(&claim->done);
	INIT_WORK(&claim->work, claim_work);
	queue_work(claim_queue, &claim->work);
}

/**
 * worker_cancel - end a claim that is not wanted any more
 * @claim: started before
 *
 * Context: sleeps until a claim that has begun is over.
 *
 * Return: true if it had not begun: the run is still reserved; false if it is done, with
 * a result.
 */
bool worker_cancel(struct claim *claim)
{
	return cancel_work_sync(&claim->work);
}
