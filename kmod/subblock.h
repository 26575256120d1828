/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The unit that everything counts in. A subblock is named by its index, its first
 * page frame divided by the pages of a subblock; the index never changes.
 */
#ifndef MEMPLUG_SUBBLOCK_H
#define MEMPLUG_SUBBLOCK_H

#include <linux/mm.h>

/**
 * struct subblock_run - neighbouring subblocks
 * @first: index of the first
 * @nr: how many
 */
struct subblock_run {
	unsigned long first;
	unsigned long nr;
};

/* log2 of a subblock's pages; set once, before any request. */
extern unsigned int memplug_subblock_order;

static inline unsigned long subblock_pages(void)
{
	return 1UL << memplug_subblock_order;
}

static inline u64 subblock_bytes(void)
{
	return (u64)PAGE_SIZE << memplug_subblock_order;
}

static inline unsigned long subblock_pfn(unsigned long index)
{
	return index << memplug_subblock_order;
}

static inline u64 subblock_address(unsigned long index)
{
	return PFN_PHYS((u64)index << memplug_subblock_order);
}

static inline unsigned long subblock_at(u64 address)
{
	return PHYS_PFN(address) >> memplug_subblock_order;
}

#endif
