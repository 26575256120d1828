// SPDX-License-Identifier: GPL-2.0-only
/*
 * Has the bug that its parameter names, so that it is seen whether a debug kernel finds one.
 * bug=leak, bug=inversion (two locks in both orders), bug=use-after-free,
 * bug=race (two tasks count with the same counter).
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/time64.h>

static char *bug = "";
module_param(bug, charp, 0444);
MODULE_PARM_DESC(bug, "leak, inversion, use-after-free or race");

struct thing {
	struct list_head node;
	unsigned long value;
};

static int leak(void)
{
	int i;

	/* several: a stale copy of a pointer in a register or on a stack may hide one */
	for (i = 0; i < 16; i++) {
		struct thing *thing = kmalloc(sizeof(*thing), GFP_KERNEL);

		if (!thing)
			return -ENOMEM;
		INIT_LIST_HEAD(&thing->node);
	}
	return 0;
}

static DEFINE_MUTEX(first);
static DEFINE_MUTEX(second);

static int invert(void)
{
	mutex_lock(&first);
	mutex_lock(&second);
	mutex_unlock(&second);
	mutex_unlock(&first);

	mutex_lock(&second);
	mutex_lock(&first);
	mutex_unlock(&first);
	mutex_unlock(&second);
	return 0;
}

static int use_after_free(void)
{
	struct thing *thing = kmalloc(sizeof(*thing), GFP_KERNEL);

	if (!thing)
		return -ENOMEM;
	kfree(thing);
	WRITE_ONCE(thing->value, 1);
	return 0;
}

static unsigned long counted;

static int count(void *unused)
{
	while (!kthread_should_stop()) {
		counted++;
		cond_resched();
	}
	return 0;
}

static int race(void)
{
	struct task_struct *tasks[2];
	int i;

	for (i = 0; i < ARRAY_SIZE(tasks); i++) {
		tasks[i] = kthread_run(count, NULL, "seeded/%d", i);
		if (IS_ERR(tasks[i]))
			break;
	}
	msleep(5 * MSEC_PER_SEC);
	while (i-- > 0)
		kthread_stop(tasks[i]);
	return 0;
}

static int __init seeded_init(void)
{
	if (!strcmp(bug, "leak"))
		return leak();
	if (!strcmp(bug, "inversion"))
		return invert();
	if (!strcmp(bug, "use-after-free"))
		return use_after_free();
	if (!strcmp(bug, "race"))
		return race();
	return -EINVAL;
}

static void __exit seeded_exit(void)
{
}

module_init(seeded_init);
module_exit(seeded_exit);

MODULE_DESCRIPTION("Bugs on purpose, to see whether they are found");
MODULE_LICENSE("GPL");
