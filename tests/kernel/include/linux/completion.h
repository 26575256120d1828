/* SPDX-License-Identifier: MIT */
/* For the size of struct request only: as large as in a kernel without lock debugging. */
#ifndef MEMPLUG_TEST_LINUX_COMPLETION_H
#define MEMPLUG_TEST_LINUX_COMPLETION_H

struct completion {
	unsigned int done;
	unsigned int lock;
	void *waiters[2];
};

#endif
