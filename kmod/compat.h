/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every line that depends on the kernel version, and only those. Where a feature can
 * be tested for, it is; a version stands only where nothing else tells.
 */
#ifndef MEMPLUG_COMPAT_H
#define MEMPLUG_COMPAT_H

#include <linux/gfp.h>
#include <linux/memory_hotplug.h>
#include <linux/mempolicy.h>
#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/page-flags.h>
#include <linux/pageblock-flags.h>
#include <linux/version.h>

/*
 * alloc_contig_range() checks single pageblocks since 6.1 (b2c9e2fbba32, 5.19); before,
 * it widened the range to the largest buddy block and checked all of that.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 19, 0)
#define COMPAT_GRANULARITY_PAGES pageblock_nr_pages
#else
#define COMPAT_GRANULARITY_PAGES max_t(unsigned long, MAX_ORDER_NR_PAGES, pageblock_nr_pages)
#endif

/*
 * The third argument was a migratetype until it became acr_flags_t; there the value of
 * MIGRATE_MOVABLE would mean ACR_FLAGS_CMA and switch the guard of CMA areas off.
 */
static inline int compat_alloc_contig_range(unsigned long start, unsigned long end)
{
#ifdef ACR_FLAGS_NONE
	return alloc_contig_range(start, end, ACR_FLAGS_NONE, GFP_KERNEL | __GFP_NOWARN);
#else
	return alloc_contig_range(start, end, MIGRATE_MOVABLE, GFP_KERNEL | __GFP_NOWARN);
#endif
}

/*
 * free_contig_range() gives back blocks, and does not warn of a page that somebody else has a
 * reference to. 6.18 does neither; of those in between nothing is known, and buddy.c is right.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 3, 0)
#define COMPAT_FREES_IN_BLOCKS 1
#else
#define COMPAT_FREES_IN_BLOCKS 0
#endif

/*
 * Free pages of a zone that a CPU keeps to itself, where the counter of free pages does not have
 * them. The lists were parted from the statistics in 5.14 (28f836b6777b).
 */
static inline unsigned long compat_pages_kept_by_cpu(const struct zone *zone, int cpu)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 14, 0)
	return READ_ONCE(per_cpu_ptr(zone->per_cpu_pageset, cpu)->count);
#else
	return READ_ONCE(per_cpu_ptr(zone->pageset, cpu)->pcp.count);
#endif
}

/*
 * Since 5.13 (d479960e44f2) pages that a claim has moved stay out of the lists that CPUs keep of
 * them. Before, the next piece of the same claim may find there what the last one has moved there.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 13, 0)
#define COMPAT_CLAIMS_FOLLOW_EACH_OTHER 1
#else
#define COMPAT_CLAIMS_FOLLOW_EACH_OTHER 0
#endif

/*
 * Where init_on_alloc is on, what is claimed is zeroed since 5.11; before, such pages did not come
 * to where that was done.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 11, 0)
#define COMPAT_CLAIMS_ARE_ZEROED 1
#else
#define COMPAT_CLAIMS_ARE_ZEROED 0
#endif

/* page_offline_begin() and page_offline_end() came with 5.14 (82840451936f). */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 14, 0)
#define compat_page_offline_begin page_offline_begin
#define compat_page_offline_end page_offline_end
#else
static inline void compat_page_offline_begin(void) { }
static inline void compat_page_offline_end(void) { }
#endif

/*
 * When a memory block goes offline, 6.11 and later (503b158fc304) take only those pages from
 * the managed count that are not PageOffline; before, all of them. Whether a page has a memory
 * error they ask first, and take it whatever else it is.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 11, 0)
#define COMPAT_OFFLINING_COUNTS_ALL 0
#define COMPAT_OFFLINING_COUNTS_POISONED 1
#else
#define COMPAT_OFFLINING_COUNTS_ALL 1
#define COMPAT_OFFLINING_COUNTS_POISONED 0
#endif

/* Pinned by pin_user_pages(); page_maybe_dma_pinned() gave way to the folio form. */
static inline bool compat_page_maybe_dma_pinned(struct page *head)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 18, 0)
	return folio_maybe_dma_pinned((struct folio *)head);
#else
	return page_maybe_dma_pinned(head);
#endif
}

/* PageSwapCache() gave way to the folio form, too, and went with 6.12. */
static inline bool compat_page_is_swap_cache(struct page *head)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 18, 0)
	return folio_test_swapcache((struct folio *)head);
#else
	return PageSwapCache(head);
#endif
}

/* Not on the LRU, but its owner can move it (zsmalloc, balloons). */
static inline bool compat_page_has_movable_ops(struct page *page)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 17, 0)
	return page_has_movable_ops(page);
#else
	return __PageMovable(page);
#endif
}

/* An area's flags are to be changed by functions only since 6.3 (bc292ab00f6c). */
static inline void compat_set_vm_flags(struct vm_area_struct *vma, unsigned long flags)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	vm_flags_set(vma, flags);
#else
	vma->vm_flags |= flags;
#endif
}

/*
 * A fault may put page frames into a huge entry of the page table where get_user_pages_fast() sees
 * that these are no pages to take references to: since 6.12 (6857be5fecae), where the architecture
 * has a bit left to say so. pfn_t, a number and flags, had its last kernel in 6.16.
 */
#if defined(CONFIG_TRANSPARENT_HUGEPAGE) && defined(CONFIG_ARCH_SUPPORTS_PMD_PFNMAP)
#define COMPAT_HUGE_FAULTS
#define compat_get_unmapped_area thp_get_unmapped_area
#if __has_include("linux/pfn_t.h")
#include <linux/pfn_t.h>
#define compat_page_frame(pfn) pfn_to_pfn_t(pfn)
#else
#define compat_page_frame(pfn) (pfn)
#endif
#else
#define compat_get_unmapped_area NULL
#endif

/* The unbound queue got another name (128ea9f6ccfb); later kernels warn of the old one. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 18, 0)
#define compat_unbound_queue system_dfl_wq
#else
#define compat_unbound_queue system_unbound_wq
#endif

/* The nodes that the task's policy binds it to, or NULL; elsewhere until 5.14 (269fbe72cded). */
static inline const nodemask_t *compat_bound_nodes(const struct task_struct *task)
{
#ifdef CONFIG_NUMA
	if (!task->mempolicy || task->mempolicy->mode != MPOL_BIND)
		return NULL;
#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 14, 0)
	return &task->mempolicy->nodes;
#else
	return &task->mempolicy->v.nodes;
#endif
#else
	return NULL;
#endif
}

/* In-use hugetlb pages are moved by alloc_contig_range() since 5.14 (ae37c7ff79f1). */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 14, 0)
#define COMPAT_HUGETLB_MOVES 1
#else
#define COMPAT_HUGETLB_MOVES 0
#endif

/*
 * Until 6.14 (04f13d241b8b) what such a page leaves goes back to the pool of hugetlb where it lies,
 * inside of what is being claimed, and is where the next one is moved to: a call for several never
 * ends well, and one for a pageblock with the second try.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 14, 0)
#define COMPAT_HUGETLB_RETURNS 0
#else
#define COMPAT_HUGETLB_RETURNS COMPAT_HUGETLB_MOVES
#endif

#endif
