// SPDX-License-Identifier: GPL-2.0-only
/* When to try a subblock again that could not be had. */
#include <linux/bitmap.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "policy/backoff.h"

static u16 units(u64 ms)
{
	return ms / PATIENCE_FIRST_MS;
}

/**
 * memplug_backoff_failed - a subblock could not be had
 * @patience: its books
 * @index: subblock; ignored if it is none of theirs
 * @now_ms: time, in milliseconds since whenever
 */
void memplug_backoff_failed(struct patience *patience, unsigned long index, u64 now_ms)
{
	unsigned int wait;

	if (index >= patience->nr)
		return;
	wait = min(PATIENCE_FIRST_MS << patience->tries[index], PATIENCE_LONGEST_MS);
	if (wait < PATIENCE_LONGEST_MS || !patience->tries[index])
		patience->tries[index]++;
	/* at least as long as said, although the time is cut off to whole units */
	patience->due[index] = units(now_ms) + units(wait) + 1;
}

/**
 * memplug_backoff_forget - everything may be tried at once
 * @patience: its books
 */
void memplug_backoff_forget(struct patience *patience)
{
	memset(patience->tries, 0, patience->nr * sizeof(*patience->tries));
}

/**
 * memplug_backoff_wait_ms - how long a subblock has to wait
 * @patience: its books
 * @index: subblock
 * @now_ms: time
 *
 * Return: 0: it may be tried.
 */
unsigned int memplug_backoff_wait_ms(const struct patience *patience, unsigned long index,
				     u64 now_ms)
{
	u16 left;

	if (index >= patience->nr || !patience->tries[index])
		return 0;
	left = patience->due[index] - units(now_ms);
	/* more than the longest wait: it was due long ago, and the time has wrapped around */
	if (left > units(PATIENCE_LONGEST_MS) + 1)
		return 0;
	return left * PATIENCE_FIRST_MS;
}

/* It has not been tried for seconds, and may be had yet. */
static bool is_fresh(const struct patience *patience, unsigned long index)
{
	return PATIENCE_FIRST_MS << patience->tries[index] < PATIENCE_LONGEST_MS;
}

/**
 * memplug_backoff_mark - which subblocks have to wait
 * @patience: its books
 * @map: bitmap of as many bits; result
 * @fresh: bitmap of as many bits; result: those of them that have not been tried for seconds yet
 * @now_ms: time
 *
 * Return: how long the first of them has to wait, or 0 if none has to.
 */
unsigned int memplug_backoff_mark(const struct patience *patience, unsigned long *map,
				  unsigned long *fresh, u64 now_ms)
{
	unsigned int wait, shortest = 0;
	unsigned long i;

	bitmap_zero(map, patience->nr);
	bitmap_zero(fresh, patience->nr);
	for (i = 0; i < patience->nr; i++) {
		wait = memplug_backoff_wait_ms(patience, i, now_ms);
		if (!wait)
			continue;
		__set_bit(i, map);
		if (is_fresh(patience, i))
			__set_bit(i, fresh);
		if (!shortest || wait < shortest)
			shortest = wait;
	}
	return shortest;
}
