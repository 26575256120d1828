// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stands in the way of memory hotplug at a test's command. refuse=1: a memory block that is
 * about to go offline is refused, after every other notifier has let it go. hold=PFN: keeps an
 * extra reference to this page, which must be in use; hold=0 drops it. leaving tells whether a
 * memory block is on its way offline, and all notifiers know of it; hold_up=1: for as long as that.
 * slow=MS: memplug takes so much longer for each subblock that leaves; looks counts how often it
 * looks for the next that is unplugged, as it does when it is unloaded, since then.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/memory.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/sched/signal.h>

static bool refuse;
module_param(refuse, bool, 0644);
MODULE_PARM_DESC(refuse, "let no memory block go offline");

static bool hold_up;
module_param(hold_up, bool, 0644);
MODULE_PARM_DESC(hold_up, "have a memory block that is about to go offline wait");

static bool leaving;
module_param(leaving, bool, 0444);
MODULE_PARM_DESC(leaving, "whether a memory block is on its way offline");

static struct page *held;

static void drop(void)
{
	if (held)
		put_page(held);
	held = NULL;
}

static int hold_set(const char *text, const struct kernel_param *kp)
{
	struct page *page = NULL;
	unsigned long pfn;
	int ret = kstrtoul(text, 0, &pfn);

	if (ret)
		return ret;
	if (pfn) {
		page = pfn_to_online_page(pfn);
		if (!page || !get_page_unless_zero(page))
			return -ENXIO;
	}
	drop();
	held = page;
	return 0;
}

static const struct kernel_param_ops hold_ops = {
	.set = hold_set,
};
module_param_cb(hold, &hold_ops, NULL, 0200);
MODULE_PARM_DESC(hold, "page frame to keep an extra reference to; 0: none");

static unsigned int looks;
module_param(looks, uint, 0444);
MODULE_PARM_DESC(looks, "looks for what is unplugged since memplug was slowed down");

static unsigned int slow_ms;

static int count_look(struct kprobe *probe, struct pt_regs *regs)
{
	WRITE_ONCE(looks, looks + 1);
	return 0;
}

static int leave_slowly(struct kprobe *probe, struct pt_regs *regs)
{
	mdelay(slow_ms);
	return 0;
}

static struct kprobe look_probe, leave_probe;
static struct kprobe *probes[] = { &look_probe, &leave_probe };

static void end_slowness(void)
{
	if (slow_ms)
		unregister_kprobes(probes, ARRAY_SIZE(probes));
	slow_ms = 0;
}

static int slow_set(const char *text, const struct kernel_param *kp)
{
	unsigned int ms;
	int ret = kstrtouint(text, 0, &ms);

	if (ret)
		return ret;
	end_slowness();
	if (!ms)
		return 0;
	look_probe = (struct kprobe){
		.symbol_name = "memplug_region_next_unplugged",
		.pre_handler = count_look,
	};
	leave_probe = (struct kprobe){
		.symbol_name = "memplug_contig_leave",
		.pre_handler = leave_slowly,
	};
	WRITE_ONCE(looks, 0);
	ret = register_kprobes(probes, ARRAY_SIZE(probes));
	if (!ret)
		slow_ms = ms;
	return ret;
}

static const struct kernel_param_ops slow_ops = {
	.set = slow_set,
};
module_param_cb(slow, &slow_ops, NULL, 0200);
MODULE_PARM_DESC(slow, "milliseconds that a subblock takes longer to leave; 0: none");

static int memory_event(struct notifier_block *nb, unsigned long event, void *unused)
{
	switch (event) {
	case MEM_GOING_OFFLINE:
		WRITE_ONCE(leaving, true);
		while (READ_ONCE(hold_up) && !signal_pending(current))
			schedule_timeout_interruptible(HZ / 100);
		if (READ_ONCE(refuse))
			return notifier_from_errno(-EPERM);
		break;
	case MEM_OFFLINE:
	case MEM_CANCEL_OFFLINE:
		WRITE_ONCE(leaving, false);
		break;
	}
	return NOTIFY_OK;
}

/* The last of all: the others have made up their minds, and have to think better of it. */
static struct notifier_block memory_notifier = {
	.notifier_call = memory_event,
	.priority = INT_MIN,
};

static int __init obstruct_init(void)
{
	return register_memory_notifier(&memory_notifier);
}

static void __exit obstruct_exit(void)
{
	unregister_memory_notifier(&memory_notifier);
	end_slowness();
	drop();
}

module_init(obstruct_init);
module_exit(obstruct_exit);

MODULE_DESCRIPTION("Stands in the way of memory hotplug, for tests");
MODULE_LICENSE("GPL");
