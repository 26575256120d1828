/* SPDX-License-Identifier: MIT */
/* Nobody waits; how often they would have been woken is counted. */
#ifndef MEMPLUG_TEST_LINUX_WAIT_H
#define MEMPLUG_TEST_LINUX_WAIT_H

typedef struct wait_queue_head {
	unsigned long woken;
} wait_queue_head_t;

#define __WAIT_QUEUE_HEAD_INITIALIZER(name) { 0 }

static inline void wake_up_interruptible_all(wait_queue_head_t *queue)
{
	queue->woken++;
}

#endif
