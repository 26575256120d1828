// SPDX-License-Identifier: GPL-2.0-only
/*
 * A read-only look at struct pages, in the order in which alloc_contig_range() will judge
 * them (docs/kernel.md, "What makes it refuse"). It takes no lock and no reference, so every
 * answer may be out of date when it is given: good for choosing and for explaining, never for
 * deciding that memory is ours.
 */
#include <linux/hugetlb.h>
#include <linux/mm.h>
#include <linux/page-flags.h>
#include <linux/page_ref.h>

#include "compat.h"
#include "machine/hotplug.h"
#include "memory/survey.h"
#include "uapi/memplug.h"

/* How long a blocker lasts: what is in flux goes by itself, what is certain does not. */
static unsigned int lasts(u32 reason, bool certain)
{
	return certain ? 2 : reason != MEMPLUG_REASON_BUSY;
}

static void found_blocker(struct survey *survey, unsigned long pfn, u32 reason, bool certain)
{
	if (survey->blocker && lasts(reason, certain) <= lasts(survey->reason, survey->certain))
		return;
	survey->blocker = pfn;
	survey->reason = reason;
	survey->certain = certain;
}

/*
 * References beyond those of page tables, page cache and swap cache keep a page where it
 * is: a pin for DMA, or something as short-lived as a batch of the LRU.
 */
static bool has_extra_references(struct page *page)
{
	int expected = atomic_read(&page->_mapcount) + 1;

	if (!PageAnon(page))
		expected += 1 + PagePrivate(page);
	else if (compat_page_is_swap_cache(page))
		expected++;
	return page_ref_count(page) > expected;
}

/*
 * Counts pages that can be moved, by what they are. Those that only their owner can move have
 * something in the place of the mapping, and are no file's.
 */
static void found_movable(struct survey *survey, struct page *head, unsigned long nr, bool huge)
{
	survey->movable += nr;
	if (compat_page_has_movable_ops(head))
		return;
	if (PageAnon(head))
		survey->anon += nr;
	else if (READ_ONCE(head->mapping))
		survey->file += nr;
	if (huge)
		survey->huge += nr;
}

/*
 * Free, or on its way to the free lists; tells how many pages are so together. No reference alone
 * does not make a page free: since 6.14 those of slabs have none for as long as they live. Such
 * pages are of a type, and those in the lists of CPUs are of none.
 */
static bool is_free(struct page *page, unsigned long *step)
{
	unsigned long order;

	*step = 1;
	if (PageReserved(page) || PageHWPoison(page) || PageCompound(page) || page_ref_count(page))
		return false;
	if (!PageBuddy(page))
		return !PageSlab(page) && !page_has_type(page);
	order = READ_ONCE(page->private);
	if (order < BITS_PER_LONG && (1UL << order) <= MAX_ORDER_NR_PAGES)
		*step = 1UL << order;
	return true;
}

/*
 * How many pages from @pfn on belong to a free block that begins before it, which only its first
 * page tells: half a block of 4 MiB is looked at in one step, too.
 */
static unsigned long rest_of_free_block(unsigned long pfn)
{
	unsigned long size, step;

	for (size = MAX_ORDER_NR_PAGES; !IS_ALIGNED(pfn, size); size >>= 1) {
		unsigned long head_pfn = ALIGN_DOWN(pfn, size);
		struct page *head = pfn_to_page(head_pfn);

		if (PageBuddy(head) && is_free(head, &step) && head_pfn + step > pfn)
			return head_pfn + step - pfn;
	}
	return 0;
}

/*
 * A page of a process or of the page cache that is off the LRU for the moment, mostly in a
 * per-CPU batch on its way there, has a mapping. Kernel memory has none; slabs, page tables and
 * all else that has a type may have other things in that place. (Up to 6.9 slabs had a flag.)
 */
static bool is_in_flux(struct page *head)
{
	return !PageSlab(head) && !page_has_type(head) && READ_ONCE(head->mapping);
}

/* A page that is neither free, nor a compound page, nor on the LRU. */
static void judge_other(struct survey *survey, struct page *page, unsigned long pfn)
{
	if (compat_page_has_movable_ops(page))
		found_movable(survey, page, 1, false);
	else if (is_in_flux(page))
		found_blocker(survey, pfn, MEMPLUG_REASON_BUSY, false);
	else
		found_blocker(survey, pfn, MEMPLUG_REASON_UNMOVABLE, true);
}

/* Judges a compound page, up to @end_pfn; returns how many pages to step over from @pfn. */
static unsigned long judge_compound(struct survey *survey, struct page *page, unsigned long pfn,
				    unsigned long end_pfn)
{
	struct page *head = compound_head(page);
	unsigned long order = compound_order(head);
	unsigned long head_pfn = page_to_pfn(head);
	unsigned long step;

	/* The compound may have been dissolved since: believe nothing that does not fit. */
	if (head_pfn > pfn || order >= BITS_PER_LONG - 1 || head_pfn + (1UL << order) <= pfn)
		return 1;
	step = min(head_pfn + (1UL << order), end_pfn) - pfn;

	if (PageHuge(head)) {
		if ((1UL << order) > MAX_ORDER_NR_PAGES || !COMPAT_HUGETLB_MOVES)
			found_blocker(survey, pfn, MEMPLUG_REASON_HUGETLB, true);
		else
			found_movable(survey, head, step, true);
		if (compat_page_maybe_dma_pinned(head))
			found_blocker(survey, pfn, MEMPLUG_REASON_PINNED, false);
	} else if (PageLRU(head) || compat_page_has_movable_ops(head)) {
		if (compat_page_maybe_dma_pinned(head))
			found_blocker(survey, pfn, MEMPLUG_REASON_PINNED, false);
		found_movable(survey, head, step, order >= pageblock_order);
	} else if (is_in_flux(head)) {
		found_blocker(survey, pfn, MEMPLUG_REASON_BUSY, false);
	} else {
		found_blocker(survey, pfn, MEMPLUG_REASON_UNMOVABLE, true);
	}
	return step;
}

/**
 * memplug_survey_all_free - is all of a stretch free
 * @start_pfn: first page frame; all of the stretch is online
 * @nr_pages: how many
 *
 * Leaves it at the first page that is not.
 *
 * Context: the caller keeps memory hotplug out. Does not sleep; a few steps for a subblock.
 */
bool memplug_survey_all_free(unsigned long start_pfn, unsigned long nr_pages)
{
	unsigned long end_pfn = start_pfn + nr_pages;
	unsigned long pfn = start_pfn + rest_of_free_block(start_pfn);
	unsigned long step;

	memplug_hotplug_assert_excluded();
	for (; pfn < end_pfn; pfn += step)
		if (!is_free(pfn_to_page(pfn), &step))
			return false;
	return true;
}

/**
 * memplug_survey_pages - count and judge the pages of a stretch
 * @start_pfn: first page frame; all of the stretch is online
 * @nr_pages: how many
 * @survey: result
 *
 * Context: the caller keeps memory hotplug out. May let others run; about 0.1 ms for 4 MiB
 * in use on a slow machine.
 */
void memplug_survey_pages(unsigned long start_pfn, unsigned long nr_pages, struct survey *survey)
{
	unsigned long end_pfn = start_pfn + nr_pages;
	unsigned long pfn = start_pfn + rest_of_free_block(start_pfn);

	memplug_hotplug_assert_excluded();
	memset(survey, 0, sizeof(*survey));
	survey->free = min(pfn, end_pfn) - start_pfn;
	while (pfn < end_pfn) {
		struct page *page = pfn_to_page(pfn);
		unsigned long step;

		/* all of them, in a subblock of the largest size, take long */
		if (IS_ALIGNED(pfn, pageblock_nr_pages))
			cond_resched();
		if (is_free(page, &step)) {
			survey->free += min(step, end_pfn - pfn);
		} else if (PageReserved(page)) {
			found_blocker(survey, pfn, MEMPLUG_REASON_RESERVED, true);
		} else if (PageHWPoison(page)) {
			found_blocker(survey, pfn, MEMPLUG_REASON_HWPOISON, true);
		} else if (PageCompound(page)) {
			step = judge_compound(survey, page, pfn, end_pfn);
		} else if (PageLRU(page)) {
			if (compat_page_maybe_dma_pinned(page) || has_extra_references(page))
				found_blocker(survey, pfn, MEMPLUG_REASON_PINNED, false);
			found_movable(survey, page, 1, false);
		} else {
			judge_other(survey, page, pfn);
		}
		pfn += step;
	}
}
