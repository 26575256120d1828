/* SPDX-License-Identifier: MIT */
/*
 * Pages, zones and nodes as far as books/state.c asks about them. What they say is made up by
 * machine.cpp. No struct page is ever read, so the cache miss that each costs in a kernel is
 * not in what a benchmark measures here.
 */
#ifndef MEMPLUG_TEST_LINUX_MM_H
#define MEMPLUG_TEST_LINUX_MM_H

#include <linux/kernel.h>
#include <linux/mmzone.h>
#include <linux/nodemask.h>

#define PAGE_SHIFT 12
#define PAGE_SIZE (1UL << PAGE_SHIFT)
#define PFN_PHYS(pfn) ((u64)(pfn) << PAGE_SHIFT)
#define PHYS_PFN(address) ((unsigned long)((address) >> PAGE_SHIFT))

struct page;

/* A page is nothing but the number of its frame. */
static inline struct page *pfn_to_page(unsigned long pfn)
{
	return (struct page *)pfn;
}

static inline unsigned long page_to_pfn(const struct page *page)
{
	return (unsigned long)page;
}

#endif
