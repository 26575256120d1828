// SPDX-License-Identifier: GPL-2.0-only
/*
 * Suspend and hibernation. Suspend to RAM keeps memory as it is, and needs nothing here:
 * requests freeze and go on. Hibernation would not save what is unplugged, and the kernel that
 * resumes does not know of it: it is refused early while anything is, or may be as its memory block
 * is about to go and may stay, and nothing is claimed from that moment until it is over.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kernel.h>
#include <linux/notifier.h>
#include <linux/ratelimit.h>
#include <linux/suspend.h>

#include "books/books.h"
#include "duty/power.h"
#include "machine/hotplug.h"

static int prepare(void)
{
	struct region_sizes sizes;

	if (!memplug_hotplug_suspend_claims()) {
		pr_warn_ratelimited("no hibernation while a memory block comes or goes: try again\n");
		return -EBUSY;
	}
	memplug_region_sizes(&sizes);
	if (!sizes.unplugged)
		return 0;
	memplug_hotplug_resume_claims();
	pr_warn_ratelimited("no hibernation while %llu MiB are unplugged: plug them first (memplugctl plug --all)\n",
			    sizes.unplugged * subblock_bytes() >> 20);
	return -EBUSY;
}

static int power_event(struct notifier_block *nb, unsigned long event, void *unused)
{
	switch (event) {
	case PM_HIBERNATION_PREPARE:
	case PM_RESTORE_PREPARE:
		return notifier_from_errno(prepare());
	case PM_POST_HIBERNATION:
	case PM_POST_RESTORE:
		memplug_hotplug_resume_claims();
		break;
	}
	return NOTIFY_OK;
}

/* First of all, so that nobody else prepares for what is refused. */
static struct notifier_block power_notifier = {
	.notifier_call = power_event,
	.priority = INT_MAX,
};

/**
 * memplug_power_init - follow what the machine's power is about to do
 *
 * Return: 0 or an error of the notifier chain.
 */
int memplug_power_init(void)
{
	return register_pm_notifier(&power_notifier);
}

/** memplug_power_exit - stop following */
void memplug_power_exit(void)
{
	unregister_pm_notifier(&power_notifier);
}
