/* SPDX-License-Identifier: MIT */
/* There is nobody else to let run, unless a test says what they do. */
#ifndef MEMPLUG_TEST_LINUX_SCHED_H
#define MEMPLUG_TEST_LINUX_SCHED_H

#include <linux/spinlock.h>

#ifdef __cplusplus
extern "C" {
#endif
extern void (*machine_meanwhile)(void);
#ifdef __cplusplus
}
#endif

static inline void cond_resched(void)
{
	might_sleep();
	if (machine_meanwhile)
		machine_meanwhile();
}

/* Nobody is there whose turn would end by it. */
static inline long schedule_timeout_uninterruptible(long timeout)
{
	abort();
	return timeout;
}

#endif
