// SPDX-License-Identifier: GPL-2.0-only
/*
 * Claims and releases page frames: the only caller of alloc_contig_range(), and the only place that
 * touches PageOffline and the managed page counts. Knows nothing of subblocks, regions or requests.
 */
#include <linux/error-injection.h>
#include <linux/highmem.h>
#include <linux/hugetlb.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/page_ref.h>
#include <linux/sched.h>
#include <linux/sizes.h>

#include "compat.h"
#include "machine/ram.h"
#include "memory/buddy.h"
#include "memory/contig.h"
#include "policy/pace.h"
#include "trace.h"

/*
 * alloc_contig_range() takes all of this on trust. The zone and the online state can't
 * change meanwhile because the caller keeps memory hotplug out.
 */
static bool is_claimable(unsigned long start_pfn, unsigned long nr_pages)
{
	unsigned long end_pfn = start_pfn + nr_pages;
	struct zone *zone = NULL;
	unsigned long pfn;

	if (!nr_pages || end_pfn < start_pfn ||
	    !IS_ALIGNED(start_pfn | nr_pages, COMPAT_GRANULARITY_PAGES))
		return false;
	for (pfn = start_pfn; pfn < end_pfn; pfn += pageblock_nr_pages) {
		struct page *page = pfn_to_online_page(pfn);

		if (!page)
			return false;
		if (!zone)
			zone = page_zone(page);
		if (page_zone(page) != zone ||
		    page_zone(pfn_to_page(pfn + pageblock_nr_pages - 1)) != zone)
			return false;
	}
	return memplug_ram_has_zone(zone_idx(zone));
}

/* As long as the longest run of small subblocks; a large subblock is taken in several. */
#define LONGEST_PIECE max_t(unsigned long, SZ_64M >> PAGE_SHIFT, COMPAT_GRANULARITY_PAGES)

/* Where a call zeroes. */
#define LONGEST_ZEROED max_t(unsigned long, SZ_32M >> PAGE_SHIFT, COMPAT_GRANULARITY_PAGES)

/* What pace.c said last, in pages: a hint that whoever claims reads and writes. */
static unsigned long zeroing_pace;

/*
 * Where claims are zeroed, one call zeroes all of its pages without a break, on 6.1 at least:
 * short pieces, so that others get their turn between two of them (docs/kernel.md, "Zeroing").
 */
static unsigned long longest_piece(unsigned long nr_pages)
{
	if (COMPAT_CLAIMS_ARE_ZEROED && want_init_on_alloc(0))
		return max(READ_ONCE(zeroing_pace), COMPAT_GRANULARITY_PAGES);
	return COMPAT_CLAIMS_FOLLOW_EACH_OTHER ? LONGEST_PIECE : nr_pages;
}

/* In a walk over page frames: others get their turn once in a while. */
static void let_others_run(unsigned long pfn)
{
	if (IS_ALIGNED(pfn, pageblock_nr_pages))
		cond_resched();
}

/* One call; of its own, so that a debug kernel can make it fail where a test wants it to. */
static noinline int alloc_piece(unsigned long start_pfn, unsigned long end_pfn)
{
	return compat_alloc_contig_range(start_pfn, end_pfn);
}

#ifdef MEMPLUG_DEBUG
ALLOW_ERROR_INJECTION(alloc_piece, ERRNO);
#endif

/* Where memory is zeroed, the time of this call says how long the next may be. */
static int alloc_timed_piece(unsigned long start_pfn, unsigned long end_pfn)
{
	unsigned long nr_pages = end_pfn - start_pfn;
	u64 start = ktime_get_ns();
	int ret = alloc_piece(start_pfn, end_pfn);

	if (!ret)
		WRITE_ONCE(zeroing_pace,
			   memplug_pace_next(READ_ONCE(zeroing_pace), nr_pages,
					     ktime_get_ns() - start, COMPAT_GRANULARITY_PAGES,
					     LONGEST_ZEROED));
	return ret;
}

/* From here to the end of the largest block that is freed at once, or of the range. */
static unsigned long block_pages(unsigned long pfn, unsigned long end_pfn)
{
	unsigned long most = MAX_ORDER_NR_PAGES;

	/* freeing writes to it, without a break */
	if (want_init_on_free())
		most = min(most, COMPAT_GRANULARITY_PAGES);
	return min(ALIGN(pfn + 1, most), end_pfn) - pfn;
}

static void free_in_blocks(unsigned long start_pfn, unsigned long nr_pages)
{
	unsigned long end_pfn = start_pfn + nr_pages;
	unsigned long pfn, block;

	for (pfn = start_pfn; pfn < end_pfn; pfn += block) {
		block = block_pages(pfn, end_pfn);
		memplug_buddy_free(pfn, block);
		cond_resched();
	}
}

/* How many pages come before the first one of hugetlb, in whole pieces of the shortest length. */
static unsigned long before_hugetlb(unsigned long start_pfn, unsigned long nr_pages)
{
	unsigned long nr;

	for (nr = 0; nr < nr_pages && !PageHuge(pfn_to_page(start_pfn + nr)); nr++)
		let_others_run(start_pfn + nr);
	return ALIGN_DOWN(nr, COMPAT_GRANULARITY_PAGES);
}

/* Whether a huge page of the pool that nobody uses is there: a claim puts another there for it. */
static bool has_free_hugetlb(unsigned long start_pfn, unsigned long end_pfn)
{
	unsigned long pfn;

	for (pfn = start_pfn; pfn < end_pfn; pfn++) {
		struct page *page = pfn_to_page(pfn);

		if (PageHuge(page) && !page_ref_count(compound_head(page)))
			return true;
	}
	return false;
}

/*
 * One at a time moves huge pages of the pool: of two, each would move its own to where the other's
 * just were. Held over the claim of a single piece (docs/design.md, "Locks and exclusion").
 */
static DEFINE_MUTEX(hugetlb_turn);

#define HUGETLB_TRIES 6

/*
 * The first try leaves a free huge page where one was in use, and the second succeeds. The others
 * are for those who take from the pool meanwhile.
 */
static int alloc_hugetlb_piece(unsigned long start_pfn, unsigned long end_pfn)
{
	unsigned int tries = 0;
	int ret;

	mutex_lock(&hugetlb_turn);
	do {
		cond_resched();
		ret = alloc_piece(start_pfn, end_pfn);
	} while (ret == -EBUSY && ++tries < HUGETLB_TRIES &&
		 has_free_hugetlb(start_pfn, end_pfn));
	mutex_unlock(&hugetlb_turn);
	return ret;
}

/* All or nothing. */
static int alloc_in_pieces(unsigned long start_pfn, unsigned long nr_pages,
			   int (*should_stop)(const void *why), const void *why)
{
	unsigned long done, piece, pfn;
	int ret = 0;

	for (done = 0; done < nr_pages && !ret; done += piece) {
		pfn = start_pfn + done;
		piece = min(longest_piece(nr_pages), nr_pages - done);
		if (COMPAT_HUGETLB_RETURNS)
			piece = before_hugetlb(pfn, piece);
		cond_resched();
		if (done)
			ret = should_stop(why);
		if (!ret && piece) {
			ret = alloc_timed_piece(pfn, pfn + piece);
		} else if (!ret) {
			piece = COMPAT_GRANULARITY_PAGES;
			ret = alloc_hugetlb_piece(pfn, pfn + piece);
		}
		if (ret)
			free_in_blocks(start_pfn, done);
	}
	return ret;
}

/**
 * memplug_contig_claim - take page frames out of the kernel's hands
 * @start_pfn: first page frame, aligned to what this kernel can claim
 * @nr_pages: how many, a multiple of the same
 * @should_stop: asked now and then: 0, or the error with which it is to end
 * @why: its argument
 *
 * On success the pages are ours with one reference each, are PageOffline (so that
 * /proc/kcore, dumps and page tools leave them alone), and MemTotal and the zone's managed
 * count are lower by exactly @nr_pages. On failure nothing has changed, but pages may have
 * been moved.
 *
 * Context: may sleep, for seconds if much has to be moved. The caller keeps memory hotplug
 * out, and runs in a worker: up to 6.12 pages are moved within the caller's cpuset only.
 *
 * Return: 0; -EINVAL if the range is not one online stretch of a zone that is managed; -EBUSY if
 * something in it can't be moved; -ENOMEM if there is no room to move it to; -EINTR if the
 * calling task is being killed; or what @should_stop said.
 */
int memplug_contig_claim(unsigned long start_pfn, unsigned long nr_pages,
			 int (*should_stop)(const void *why), const void *why)
{
	unsigned long pfn;
	int ret;

	if (!is_claimable(start_pfn, nr_pages))
		return -EINVAL;
	ret = alloc_in_pieces(start_pfn, nr_pages, should_stop, why);
	if (ret)
		return ret;

	/* keeps a reader of /proc/kcore from seeing a page turn offline under its copy */
	compat_page_offline_begin();
	for (pfn = start_pfn; pfn < start_pfn + nr_pages; pfn++) {
		__SetPageOffline(pfn_to_page(pfn));
		let_others_run(pfn);
	}
	compat_page_offline_end();
	adjust_managed_page_count(pfn_to_page(start_pfn), -(long)nr_pages);
	return 0;
}

/**
 * memplug_contig_leave - let claimed page frames go offline with their memory block
 * @start_pfn: first page frame
 * @nr_pages: how many
 *
 * The kernel passes over pages that are PageOffline and that nobody holds a reference to.
 * Their contents, and all that struct page says of them, are gone when the block is offline.
 *
 * Context: of MEM_GOING_OFFLINE. May let others run.
 *
 * Return: 0; -EBUSY, with nothing changed, if somebody else holds a reference to one of them.
 */
int memplug_contig_leave(unsigned long start_pfn, unsigned long nr_pages)
{
	unsigned long pfn;

	for (pfn = start_pfn; pfn < start_pfn + nr_pages; pfn++) {
		let_others_run(pfn);
		/* from one to none, or not at all: who looked at it would free it with the last */
		if (page_ref_freeze(pfn_to_page(pfn), 1))
			continue;
		while (pfn-- > start_pfn) {
			page_ref_unfreeze(pfn_to_page(pfn), 1);
			let_others_run(pfn);
		}
		return -EBUSY;
	}
	if (COMPAT_OFFLINING_COUNTS_ALL)
		adjust_managed_page_count(pfn_to_page(start_pfn), nr_pages);
	return 0;
}

/**
 * memplug_contig_stay - the memory block does not go offline: undo memplug_contig_leave()
 * @start_pfn: first page frame
 * @nr_pages: how many
 *
 * Context: of MEM_CANCEL_OFFLINE. May let others run.
 */
void memplug_contig_stay(unsigned long start_pfn, unsigned long nr_pages)
{
	unsigned long pfn;

	for (pfn = start_pfn; pfn < start_pfn + nr_pages; pfn++) {
		page_ref_unfreeze(pfn_to_page(pfn), 1);
		let_others_run(pfn);
	}
	if (COMPAT_OFFLINING_COUNTS_ALL)
		adjust_managed_page_count(pfn_to_page(start_pfn), -(long)nr_pages);
}

/**
 * memplug_contig_gone - claimed page frames have gone offline with their memory block
 * @start_pfn: first page frame
 * @nr_pages: how many
 *
 * Context: of MEM_OFFLINE: their struct pages are still there. May let others run.
 *
 * Return: whether any of them has a memory error.
 */
bool memplug_contig_gone(unsigned long start_pfn, unsigned long nr_pages)
{
	unsigned long pfn;
	long bad = 0;

	for (pfn = start_pfn; pfn < start_pfn + nr_pages; pfn++) {
		bad += PageHWPoison(pfn_to_page(pfn));
		let_others_run(pfn);
	}
	if (bad && COMPAT_OFFLINING_COUNTS_POISONED)
		adjust_managed_page_count(pfn_to_page(start_pfn), bad);
	return bad;
}

/**
 * memplug_contig_release - give claimed page frames back
 * @start_pfn: first page frame
 * @nr_pages: how many
 *
 * A page to which somebody else has a reference, as KVM up to 6.12 may have it from a mapping that
 * is gone, is free when that reference is gone; it counts as managed at once.
 *
 * Context: may let others run. The caller has made sure that none of them is poisoned.
 */
void memplug_contig_release(unsigned long start_pfn, unsigned long nr_pages)
{
	unsigned long end_pfn = start_pfn + nr_pages;
	unsigned long pfn, block, i;

	trace_memplug_release(start_pfn, nr_pages);
	for (pfn = start_pfn; pfn < end_pfn; pfn += block) {
		block = block_pages(pfn, end_pfn);
		/* needs no page_offline_begin(): a page may always become readable */
		for (i = 0; i < block; i++)
			__ClearPageOffline(pfn_to_page(pfn + i));
		memplug_buddy_free(pfn, block);
		cond_resched();
	}
	adjust_managed_page_count(pfn_to_page(start_pfn), nr_pages);
}

/**
 * memplug_contig_zero - zero claimed page frames
 * @start_pfn: first page frame
 * @nr_pages: how many
 *
 * Not those with a memory error: touching them may end the machine.
 *
 * Context: sleeps now and then.
 */
void memplug_contig_zero(unsigned long start_pfn, unsigned long nr_pages)
{
	unsigned long pfn;

	for (pfn = start_pfn; pfn < start_pfn + nr_pages; pfn++) {
		if (!PageHWPoison(pfn_to_page(pfn)))
			clear_highpage(pfn_to_page(pfn));
		cond_resched();
	}
}

/**
 * memplug_contig_find_hwpoison - look for a page with a memory error
 * @start_pfn: first page frame
 * @nr_pages: how many
 *
 * Context: may let others run.
 *
 * Return: the first such page frame, or 0.
 */
unsigned long memplug_contig_find_hwpoison(unsigned long start_pfn, unsigned long nr_pages)
{
	unsigned long pfn;

	for (pfn = start_pfn; pfn < start_pfn + nr_pages; pfn++) {
		if (PageHWPoison(pfn_to_page(pfn)))
			return pfn;
		let_others_run(pfn);
	}
	return 0;
}

/**
 * memplug_contig_release_around_hwpoison - give back all but the pages with memory errors
 * @start_pfn: first page frame
 * @nr_pages: how many
 *
 * For the end of the module only, when nobody is left to hold them. A poisoned page keeps
 * its reference, so that it is never used again; it counts as managed from now on, like
 * every other page that the kernel itself has poisoned.
 *
 * Context: may let others run.
 */
void memplug_contig_release_around_hwpoison(unsigned long start_pfn, unsigned long nr_pages)
{
	unsigned long end_pfn = start_pfn + nr_pages;
	unsigned long pfn, bad;

	for (pfn = start_pfn; pfn < end_pfn; pfn = bad + 1) {
		bad = memplug_contig_find_hwpoison(pfn, end_pfn - pfn) ?: end_pfn;
		if (bad > pfn)
			memplug_contig_release(pfn, bad - pfn);
		if (bad == end_pfn)
			break;
		__ClearPageOffline(pfn_to_page(bad));
		adjust_managed_page_count(pfn_to_page(bad), 1);
	}
}
