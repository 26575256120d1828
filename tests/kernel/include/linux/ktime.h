/* SPDX-License-Identifier: MIT */
/* Time stands still. */
#ifndef MEMPLUG_TEST_LINUX_KTIME_H
#define MEMPLUG_TEST_LINUX_KTIME_H

typedef long long ktime_t;

static inline ktime_t ktime_get(void)
{
	return 0;
}

static inline ktime_t ktime_sub(ktime_t later, ktime_t earlier)
{
	return later - earlier;
}

static inline long long ktime_to_ns(ktime_t time)
{
	return time;
}

#endif
