/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MEMPLUG_PACE_H
#define MEMPLUG_PACE_H

#include <linux/types.h>

unsigned long memplug_pace_next(unsigned long pace, unsigned long nr_pages, u64 ns,
				unsigned long shortest, unsigned long longest);

#endif
