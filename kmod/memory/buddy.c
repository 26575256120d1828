// SPDX-License-Identifier: GPL-2.0-only
/*
 * Gives page frames to the kernel's buddy allocator, in blocks as large as it keeps them: page by
 * page takes seven times as long and more (docs/kernel.md, "Releasing a range").
 */
#include <linux/bitops.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/page_ref.h>

#include "compat.h"
#include "memory/buddy.h"

/*
 * Not inlined, so that a test can have an error come up just before. One that comes up later stays
 * in the block that is freed, and in the way of whoever is about to get it (docs/kernel.md).
 */
static noinline bool has_memory_error(unsigned long start_pfn, unsigned long nr_pages)
{
	unsigned long pfn;

	for (pfn = start_pfn; pfn < start_pfn + nr_pages; pfn++) {
		if (PageHWPoison(pfn_to_page(pfn)))
			return true;
	}
	return false;
}

#if !COMPAT_FREES_IN_BLOCKS

/* Of the largest aligned block that begins at @pfn. */
static unsigned int block_order(unsigned long pfn, unsigned long nr_pages)
{
	return min(__ffs(pfn | MAX_ORDER_NR_PAGES), __fls(nr_pages));
}

/*
 * Makes one block of pages that have a reference each, as alloc_pages() would have returned it: the
 * first page keeps its reference, the others have none. That undoes split_page(). All or nothing:
 * not if somebody else has a reference to one of the others, or one of all has a memory error.
 */
static bool join_block(unsigned long pfn, unsigned long nr_pages)
{
	unsigned long nr;

	for (nr = 1; nr < nr_pages; nr++) {
		if (!page_ref_freeze(pfn_to_page(pfn + nr), 1))
			break;
	}
	if (nr == nr_pages && !has_memory_error(pfn, nr_pages))
		return true;
	while (--nr)
		page_ref_unfreeze(pfn_to_page(pfn + nr), 1);
	return false;
}

/*
 * A first page that somebody else has a reference to stays with him, and __free_pages() frees the
 * others in blocks. The tag of allocation profiling, one a page, would not be taken back with it.
 */
static bool free_block(unsigned long pfn, unsigned int order)
{
	if (IS_ENABLED(CONFIG_MEM_ALLOC_PROFILING) || !join_block(pfn, 1UL << order))
		return false;
	__free_pages(pfn_to_page(pfn), order);
	return true;
}

#endif

/* A page with a memory error is kept out of use if it is freed alone. */
static void free_pages_alone(unsigned long pfn, unsigned long nr_pages)
{
	for (; nr_pages--; pfn++)
		__free_page(pfn_to_page(pfn));
}

/**
 * memplug_buddy_free - free page frames that have a reference each
 * @start_pfn: first page frame
 * @nr_pages: how many
 *
 * A page to which somebody else has a reference as well is free when that is gone, all others are
 * at once. That is no reason to warn, as free_contig_range() does up to 6.18 at least. Pages with
 * a memory error are not used again.
 *
 * Context: any in which pages may be freed, for as long as @nr_pages take.
 */
void memplug_buddy_free(unsigned long start_pfn, unsigned long nr_pages)
{
#if COMPAT_FREES_IN_BLOCKS
	if (has_memory_error(start_pfn, nr_pages))
		free_pages_alone(start_pfn, nr_pages);
	else
		free_contig_range(start_pfn, nr_pages);
#else
	unsigned long done, block;

	for (done = 0; done < nr_pages; done += block) {
		unsigned int order = block_order(start_pfn + done, nr_pages - done);

		block = 1UL << order;
		if (!free_block(start_pfn + done, order))
			free_pages_alone(start_pfn + done, block);
	}
#endif
}
