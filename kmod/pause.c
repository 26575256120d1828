// SPDX-License-Identifier: GPL-2.0-only
/*
 * Has the module wait where a test wants something else to happen just then. In debug builds only.
 *
 * Who writes the name of a point to the parameter pause has the next task wait that comes there;
 * the parameter paused is that name from when it does. Those that come after it pass. It goes on
 * when pause is written once more, whatever to, or after a minute, which is a failure of the test.
 */
#include <linux/bug.h>
#include <linux/errno.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/moduleparam.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <linux/wait.h>

#include "pause.h"

#define LONGEST (60 * HZ)

static struct {
	spinlock_t lock;	/* protects all of it */
	char wanted[16];	/* the point at which the next is to wait */
	char reached[16];	/* the point at which one does */
	unsigned int writes;	/* to pause, so far */
	wait_queue_head_t wait;	/* for @writes to change */
} pauses = {
	.lock = __SPIN_LOCK_UNLOCKED(pauses.lock),
	.wait = __WAIT_QUEUE_HEAD_INITIALIZER(pauses.wait),
};

static int set_pause(const char *text, const struct kernel_param *param)
{
	spin_lock(&pauses.lock);
	strscpy(pauses.wanted, text, sizeof(pauses.wanted));
	strim(pauses.wanted);
	pauses.reached[0] = '\0';
	pauses.writes++;
	spin_unlock(&pauses.lock);
	wake_up_all(&pauses.wait);
	return 0;
}

static int get_paused(char *text, const struct kernel_param *param)
{
	int length;

	spin_lock(&pauses.lock);
	length = sysfs_emit(text, "%s\n", pauses.reached);
	spin_unlock(&pauses.lock);
	return length;
}

/* Loading a module sets what it is told to, whatever the rights of the file. */
static int set_paused(const char *text, const struct kernel_param *param)
{
	return -EPERM;
}

static const struct kernel_param_ops pause_ops = { .set = set_pause };
static const struct kernel_param_ops paused_ops = { .set = set_paused, .get = get_paused };

module_param_cb(pause, &pause_ops, NULL, 0200);
MODULE_PARM_DESC(pause, "debug builds: the point at which the next task waits");
module_param_cb(paused, &paused_ops, NULL, 0444);
MODULE_PARM_DESC(paused, "debug builds: the point at which a task waits");

/**
 * memplug_pause_at - a point at which a test may want the module to wait
 * @point: its name
 *
 * Context: sleeps in debug builds, with whatever the caller holds.
 */
void memplug_pause_at(const char *point)
{
	unsigned int writes;
	bool mine;

	spin_lock(&pauses.lock);
	mine = !strcmp(pauses.wanted, point);
	writes = pauses.writes;
	if (mine) {
		strscpy(pauses.reached, point, sizeof(pauses.reached));
		pauses.wanted[0] = '\0';
	}
	spin_unlock(&pauses.lock);
	if (!mine)
		return;
	if (wait_event_timeout(pauses.wait, READ_ONCE(pauses.writes) != writes, LONGEST))
		return;
	WARN(1, "nobody has it go on from %s", point);
}
