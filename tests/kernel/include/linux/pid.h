/* SPDX-License-Identifier: MIT */
/* Process ids: a pointer to one stands for its number. */
#ifndef MEMPLUG_TEST_LINUX_PID_H
#define MEMPLUG_TEST_LINUX_PID_H

struct pid;

static inline int pid_vnr(const struct pid *pid)
{
	return (int)(unsigned long)pid;
}

#endif
