// SPDX-License-Identifier: GPL-2.0-only
/*
 * Has references to pages that memplug gives back, at a test's command. hold=PFN,...: one to each
 * of these, which must be in use; hold=0 drops them. shake=PFN,PAGES: a thread takes one to each
 * page of this range in turn and drops it, over and over; shake=0,0 ends it; shaken counts the
 * references, outlasted those that were the last. poison=PFN: a memory error is found in this page
 * while it is given back, just before memplug looks for one for the last time.
 */
#include <linux/delay.h>
#include <linux/kprobes.h>
#include <linux/kthread.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/string.h>

static struct page *held[16];

static struct page *take(unsigned long pfn)
{
	struct page *page = pfn_to_online_page(pfn);

	return page && get_page_unless_zero(page) ? page : NULL;
}

static void drop(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(held); i++) {
		if (held[i])
			put_page(held[i]);
		held[i] = NULL;
	}
}

static int hold_set(const char *text, const struct kernel_param *kp)
{
	char list[256], *rest = list, *number;
	unsigned int nr = 0;
	unsigned long pfn;

	if (strscpy(list, text, sizeof(list)) < 0)
		return -EINVAL;
	drop();
	while ((number = strsep(&rest, ","))) {
		if (kstrtoul(strim(number), 0, &pfn))
			goto fail;
		if (!pfn)
			continue;
		if (nr == ARRAY_SIZE(held))
			goto fail;
		held[nr] = take(pfn);
		if (!held[nr++])
			goto fail;
	}
	return 0;

fail:
	drop();
	return -EINVAL;
}

static const struct kernel_param_ops hold_ops = {
	.set = hold_set,
};
module_param_cb(hold, &hold_ops, NULL, 0200);
MODULE_PARM_DESC(hold, "page frames to keep an extra reference to; 0: none");

static ulong shaken, outlasted;
module_param(shaken, ulong, 0444);
MODULE_PARM_DESC(shaken, "references that the thread has taken");
module_param(outlasted, ulong, 0444);
MODULE_PARM_DESC(outlasted, "references of the thread that were the last of their page");

static unsigned long shake_start, shake_pages;
static struct task_struct *shaker;

static int shake(void *unused)
{
	unsigned long i = 0;

	while (!kthread_should_stop()) {
		struct page *page = take(shake_start + i++ % shake_pages);

		if (page) {
			udelay(5);
			WRITE_ONCE(shaken, shaken + 1);
			if (page_count(page) == 1)
				WRITE_ONCE(outlasted, outlasted + 1);
			put_page(page);
		}
		cond_resched();
	}
	return 0;
}

static int shake_set(const char *text, const struct kernel_param *kp)
{
	unsigned long start, pages;
	struct task_struct *task;

	if (sscanf(text, "%lu,%lu", &start, &pages) != 2)
		return -EINVAL;
	if (shaker)
		kthread_stop(shaker);
	shaker = NULL;
	if (!pages)
		return 0;
	shake_start = start;
	shake_pages = pages;
	task = kthread_run(shake, NULL, "transient");
	if (IS_ERR(task))
		return PTR_ERR(task);
	shaker = task;
	return 0;
}

static const struct kernel_param_ops shake_ops = {
	.set = shake_set,
};
module_param_cb(shake, &shake_ops, NULL, 0200);
MODULE_PARM_DESC(shake, "first page frame and number of pages to take references to; 0,0: none");

static ulong poison;
module_param(poison, ulong, 0644);
MODULE_PARM_DESC(poison, "page frame that has a memory error when it is given back; 0: none");

/* The mark is all that is seen of an error, and where memory_failure() begins. */
static int find_error(struct kprobe *probe, struct pt_regs *regs)
{
	unsigned long start = regs_get_kernel_argument(regs, 0);
	unsigned long pages = regs_get_kernel_argument(regs, 1);
	unsigned long pfn = READ_ONCE(poison);

	if (pfn >= start && pfn < start + pages)
		SetPageHWPoison(pfn_to_page(pfn));
	return 0;
}

static struct kprobe look_probe = {
	.symbol_name = "has_memory_error",
	.pre_handler = find_error,
};

static int __init transient_init(void)
{
	return register_kprobe(&look_probe);
}

static void __exit transient_exit(void)
{
	unregister_kprobe(&look_probe);
	if (shaker)
		kthread_stop(shaker);
	drop();
}

module_init(transient_init);
module_exit(transient_exit);

MODULE_DESCRIPTION("References to pages that are given back, for tests");
MODULE_LICENSE("GPL");
