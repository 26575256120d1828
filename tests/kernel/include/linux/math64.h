/* SPDX-License-Identifier: MIT */
#ifndef MEMPLUG_TEST_LINUX_MATH64_H
#define MEMPLUG_TEST_LINUX_MATH64_H

#include <linux/types.h>

static inline u64 div_u64_rem(u64 dividend, u32 divisor, u32 *rest)
{
	*rest = (u32)(dividend % divisor);
	return dividend / divisor;
}

#endif
