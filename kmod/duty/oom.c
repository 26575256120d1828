// SPDX-License-Identifier: GPL-2.0-only
/*
 * Out of memory: before the kernel kills a process for it, some of what is unplugged goes
 * back, if the administrator has said so.
 *
 * Only gives back what is held already: no allocation, no claim, no lock that is slept on.
 */
#include <linux/cpuset.h>
#include <linux/mm.h>
#include <linux/nodemask.h>
#include <linux/notifier.h>
#include <linux/oom.h>
#include <linux/sizes.h>

#include "books/books.h"
#include "compat.h"
#include "counters.h"
#include "duty/oom.h"
#include "request/release.h"

#define GIVE_BACK SZ_64M	/* each time, or one subblock if that is more */

/* Whether anything is given back. May change at any time. */
bool memplug_oom_gives_back;

/*
 * Where memory helps the task that has found none: a cpuset or a memory policy may bind it to some
 * nodes, and what others give would be given in vain, one piece after the other, before it is
 * killed all the same. Told from the task alone; a policy of one of its mappings is not to be seen
 * here. A cpuset that changes at this moment may be read half: then one piece does not help.
 */
static void find_nodes_that_help(nodemask_t *nodes)
{
	const nodemask_t *bound = compat_bound_nodes(current);

	*nodes = cpuset_current_mems_allowed;
	/* the kernel passes over a policy that leaves nothing of the cpuset */
	if (bound && nodes_intersects(*nodes, *bound))
		nodes_and(*nodes, *nodes, *bound);
}

static int out_of_memory_event(struct notifier_block *nb, unsigned long unused, void *data)
{
	unsigned long *freed = data;
	unsigned long pages;
	nodemask_t nodes;

	if (!READ_ONCE(memplug_oom_gives_back))
		return NOTIFY_OK;
	find_nodes_that_help(&nodes);
	pages = memplug_release_in_need(max_t(u64, GIVE_BACK / subblock_bytes(), 1), &nodes) *
		subblock_pages();
	if (pages)
		memplug_counters_add_oom(pages);
	*freed += pages;
	return NOTIFY_OK;
}

static struct notifier_block oom_notifier = {
	.notifier_call = out_of_memory_event,
};

/**
 * memplug_oom_init - be called when the machine is out of memory
 *
 * Return: 0 or an error of the notifier chain.
 */
int memplug_oom_init(void)
{
	return register_oom_notifier(&oom_notifier);
}

/** memplug_oom_exit - not to be called any more */
void memplug_oom_exit(void)
{
	unregister_oom_notifier(&oom_notifier);
}
