/* SPDX-License-Identifier: MIT */
/* Machines come and go in the middle of what they do: nobody is told. */
#ifndef MEMPLUG_TEST_LINUX_BUG_H
#define MEMPLUG_TEST_LINUX_BUG_H

#include <linux/types.h>

static inline bool WARN_ON(bool condition)
{
	return condition;
}

#endif
