/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MEMPLUG_BLOCKERS_H
#define MEMPLUG_BLOCKERS_H

#include <linux/types.h>

#include "uapi/memplug.h"

/**
 * struct blockers - what a request could not have, and why
 * @records: by ascending address, neighbours with equal reason and node merged
 * @nr: how many
 * @overflow: some did not fit
 */
struct blockers {
	struct memplug_blocked records[MEMPLUG_MAX_BLOCKED];
	unsigned int nr;
	bool overflow;
};

void memplug_blockers_add(struct blockers *blockers, unsigned long index, u32 reason,
			  unsigned long pfn, int nid);

#endif
