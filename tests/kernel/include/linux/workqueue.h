/* SPDX-License-Identifier: MIT */
/* For the size of struct request only: as large as in a kernel without lock debugging. */
#ifndef MEMPLUG_TEST_LINUX_WORKQUEUE_H
#define MEMPLUG_TEST_LINUX_WORKQUEUE_H

struct work_struct {
	unsigned long data;
	void *entry[2];
	void (*function)(struct work_struct *work);
};

#endif
