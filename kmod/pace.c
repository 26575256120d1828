// SPDX-License-Identifier: GPL-2.0
/*
 * How much one call may zero. The kernel does not pause in it, so it is to be short; and each call
 * costs a drain of every CPU's lists and an RCU grace period, so there are to be few.
 */
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/time64.h>

#include "pace.h"

#define PACE_NS (2 * NSEC_PER_MSEC)

/**
 * pace_next - how many pages the next call may be for
 * @pace: what was last said
 * @nr_pages: how many the last call was for
 * @ns: how long it took, in nanoseconds
 * @shortest: the least that a call can be for
 * @longest: the most that it may be for, a multiple of @shortest
 *
 * As many as take PACE_NS, as far as the last call tells: at once less if that took longer, but not
 * more than twice as many as it was for. If it was shorter than it might have been, @pace stays.
 *
 * Return: a multiple of @shortest, from @shortest to @longest.
 */
unsigned long pace_next(unsigned long pace, unsigned long nr_pages, u64 ns, unsigned long shortest,
			unsigned long longest)
{
	unsigned long fitting = 2 * nr_pages;

	if (ns > PACE_NS / 2)
		fitting = nr_pages * (u64)PACE_NS / ns;
	if (ns <= PACE_NS)
		fitting = max(fitting, pace);
	return clamp(ALIGN_DOWN(fitting, shortest), shortest, longest);
}
