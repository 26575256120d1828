/* SPDX-License-Identifier: MIT */
/* There is nobody else to let run. */
#ifndef MEMPLUG_TEST_LINUX_SCHED_H
#define MEMPLUG_TEST_LINUX_SCHED_H

#include <linux/spinlock.h>

static inline void cond_resched(void)
{
	might_sleep();
}

#endif
