/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MEMPLUG_MIGRATED_H
#define MEMPLUG_MIGRATED_H

#include <linux/list.h>
#include <linux/types.h>

/**
 * struct migrated - what the kernel moved while one claim ran
 * @node: among those that run
 * @pages: base pages, this claim's share of them
 */
struct migrated {
	struct list_head node;
	u64 pages;
};

void memplug_migrated_begin(struct migrated *migrated);
void memplug_migrated_end(struct migrated *migrated);

#endif
