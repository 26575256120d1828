// SPDX-License-Identifier: GPL-2.0
/*
 * Out of memory: before the kernel kills a process for it, some of what is unplugged goes
 * back, if the administrator has said so.
 *
 * Only gives back what is held already: no allocation, no claim, no lock that is slept on.
 */
#include <linux/mm.h>
#include <linux/notifier.h>
#include <linux/oom.h>
#include <linux/sizes.h>

#include "counters.h"
#include "pressure.h"
#include "region.h"
#include "request.h"

#define GIVE_BACK SZ_64M	/* each time, or one subblock if that is more */

/* Whether anything is given back. May change at any time. */
bool pressure_gives_back;

static int out_of_memory_event(struct notifier_block *nb, unsigned long unused, void *data)
{
	unsigned long *freed = data;
	unsigned long pages;

	if (!READ_ONCE(pressure_gives_back))
		return NOTIFY_OK;
	pages = plug_in_need(max_t(u64, GIVE_BACK / subblock_bytes(), 1)) * subblock_pages();
	if (pages)
		counters_add_oom(pages);
	*freed += pages;
	return NOTIFY_OK;
}

static struct notifier_block oom_notifier = {
	.notifier_call = out_of_memory_event,
};

/**
 * pressure_init - be called when the machine is out of memory
 *
 * Return: 0 or an error of the notifier chain.
 */
int pressure_init(void)
{
	return register_oom_notifier(&oom_notifier);
}

/** pressure_exit - not to be called any more */
void pressure_exit(void)
{
	unregister_oom_notifier(&oom_notifier);
}
