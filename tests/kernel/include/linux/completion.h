/* SPDX-License-Identifier: MIT */
/* As large as in a kernel without lock debugging; what waits is made up by the test. */
#ifndef MEMPLUG_TEST_LINUX_COMPLETION_H
#define MEMPLUG_TEST_LINUX_COMPLETION_H

struct completion {
	unsigned int done;
	unsigned int lock;
	void *waiters[2];
};

static inline void init_completion(struct completion *completion)
{
	completion->done = 0;
}

#ifdef __cplusplus
extern "C" {
#endif
void wait_for_completion(struct completion *completion);
long wait_for_completion_interruptible_timeout(struct completion *completion,
					       unsigned long timeout);
long wait_for_completion_killable_timeout(struct completion *completion, unsigned long timeout);
#ifdef __cplusplus
}
#endif

#endif
