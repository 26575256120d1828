/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * When to try a subblock again that could not be had. Pure: no kernel call, no allocation, no
 * lock; the caller passes the arrays and the time. It also builds in user space, for its test.
 */
#ifndef MEMPLUG_BACKOFF_H
#define MEMPLUG_BACKOFF_H

#include <linux/types.h>

/* The first wait, and the longest: it doubles with each failure. */
#define PATIENCE_FIRST_MS 16U
#define PATIENCE_LONGEST_MS 4096U

/**
 * struct patience - who has to wait until when
 * @due: of each subblock, in units of PATIENCE_FIRST_MS; wraps around
 * @tries: of each subblock: failures in a row; 0: it may be tried
 * @nr: subblocks
 */
struct patience {
	u16 *due;
	u8 *tries;
	unsigned long nr;
};

void memplug_backoff_failed(struct patience *patience, unsigned long index, u64 now_ms);
void memplug_backoff_forget(struct patience *patience);
unsigned int memplug_backoff_wait_ms(const struct patience *patience, unsigned long index,
				     u64 now_ms);
unsigned int memplug_backoff_mark(const struct patience *patience, unsigned long *map,
				  unsigned long *fresh, u64 now_ms);

#endif
