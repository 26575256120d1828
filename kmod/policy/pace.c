// SPDX-License-Identifier: GPL-2.0-only
/*
 * How much one call may zero. The kernel does not pause in it, so it is to be short; and each call
 * costs a drain of every CPU's lists and an RCU grace period, so there are to be few.
 */
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/time64.h>

#include "policy/pace.h"

#define SHORT_NS (2 * NSEC_PER_MSEC)
#define LONG_NS (4 * NSEC_PER_MSEC)

/**
 * memplug_pace_next - how many pages the next call may be for
 * @pace: what was last said
 * @nr_pages: how many the last call was for
 * @ns: how long it took, in nanoseconds
 * @shortest: the least that a call can be for
 * @longest: the most that it may be for, a multiple of @shortest
 *
 * Twice as many if the last call was short, as many if it was neither, and what would have taken
 * SHORT_NS if it was long. What a call costs however few pages it is for can't be told from its
 * zeroing: so a call is not taken for too long as soon as it is not short. If it was for fewer
 * pages than it might have been, and not long, @pace stays or grows.
 *
 * Return: a multiple of @shortest, from @shortest to @longest.
 */
unsigned long memplug_pace_next(unsigned long pace, unsigned long nr_pages, u64 ns,
				unsigned long shortest, unsigned long longest)
{
	unsigned long next = max(pace, nr_pages);

	if (ns <= SHORT_NS)
		next = max(pace, 2 * nr_pages);
	else if (ns > LONG_NS)
		next = nr_pages * (u64)SHORT_NS / ns;
	return clamp(ALIGN_DOWN(next, shortest), shortest, longest);
}
