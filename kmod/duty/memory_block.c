// SPDX-License-Identifier: GPL-2.0-only
/*
 * What becomes of unplugged memory when its memory block goes offline or comes back.
 *
 * A memory block with unplugged subblocks may go, unless somebody holds on to one of them: the
 * kernel passes over pages that are PageOffline and have no reference. What was unplugged there
 * is wanted from then on, and target.c takes it again when the block is back. What is quarantined
 * is taken again before the event ends that brings it back: the one time that the exclusion is held
 * against everybody over claims. Others' claims wait for the end of the event anyway.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/memory.h>
#include <linux/ratelimit.h>

#include "books/books.h"
#include "counters.h"
#include "duty/memory_block.h"
#include "duty/quarantine.h"
#include "machine/hotplug.h"
#include "memory/claim.h"
#include "memory/contig.h"
#include "memory/floor.h"

/* Its pages have their references: it is unplugged again. */
static void stay(unsigned long index)
{
	unsigned long pfn = subblock_pfn(index);

	/* what has got a memory error is not given back, whatever anybody wants */
	if (memplug_region_stay(index, memplug_contig_find_hwpoison(pfn, subblock_pages())))
		return;
	/* nobody wants it to be any more, since it began to leave */
	memplug_contig_release(pfn, subblock_pages());
	memplug_counters_add_release(subblock_pages());
}

/* The block does not go: takes back what was unplugged of it, up to @end. */
static void take_back(unsigned long end)
{
	unsigned long i;

	for (i = memplug_region_next_leaving(0); i < end; i = memplug_region_next_leaving(i + 1)) {
		memplug_contig_stay(subblock_pfn(i), subblock_pages());
		stay(i);
	}
}

static void update_region(struct memory_notify *memory)
{
	if (memplug_region_update(memory->start_pfn, memory->nr_pages))
		pr_warn_ratelimited("no kernel memory to manage the block at pfn %#lx\n",
				    memory->start_pfn);
}

static int leave(struct memory_notify *memory)
{
	int ret = memplug_region_leave(memory->start_pfn, memory->nr_pages);
	unsigned long i;

	if (ret)
		return ret;
	for (i = memplug_region_next_leaving(0); i != ULONG_MAX;
	     i = memplug_region_next_leaving(i + 1)) {
		if (!memplug_contig_leave(subblock_pfn(i), subblock_pages()))
			continue;
		/* this one still has its references, and so has all that follows */
		update_region(memory);
		take_back(i);
		for (; i != ULONG_MAX; i = memplug_region_next_leaving(i + 1))
			stay(i);
		return -EBUSY;
	}
	return 0;
}

/*
 * The block has gone. Up to 6.1 the kernel forgets which of its pages had memory errors, and has
 * them used when it comes back: what memplug held of them is to be kept out then.
 */
static void gone(struct memory_notify *memory)
{
	unsigned long i;

	for (i = memplug_region_next_leaving(0); i != ULONG_MAX;
	     i = memplug_region_next_leaving(i + 1)) {
		if (!memplug_contig_gone(subblock_pfn(i), subblock_pages()))
			continue;
		memplug_quarantine_gone(i);
		pr_warn_ratelimited("%#llx: has a memory error, and is in quarantine if it comes back\n",
				    subblock_address(i));
	}
	memplug_region_gone(memory->start_pfn, memory->nr_pages);
}

static void retake(unsigned long index)
{
	int place = memplug_region_place(index);
	struct floor_share share = { .nr_pages = subblock_pages(), .nr_free = subblock_pages() };
	struct claim claim = {
		.run = { .first = index, .nr = 1 },
		.mover = REGION_OWN,
		.only_wanted = true,
	};

	/* not into the image of a machine that is about to hibernate: it stays wanted */
	if (memplug_hotplug_is_suspended() || memplug_floor_reserve(place, share) != FLOOR_OK)
		return;
	if (memplug_region_reserve(claim.run, REGION_UNPLUG) && memplug_claim_run(&claim))
		memplug_region_abort(claim.run);
	memplug_floor_unreserve(place, share);
}

/*
 * Bad memory is back, and free but for what was allocated a moment ago: takes it before it is used.
 * What can't be had now is wanted, as anything else.
 */
static void retake_quarantined(struct memory_notify *memory)
{
	unsigned long end = (memory->start_pfn + memory->nr_pages) >> memplug_subblock_order;
	unsigned long i = memory->start_pfn >> memplug_subblock_order;

	for (i = memplug_region_next_to_retake(i); i < end;
	     i = memplug_region_next_to_retake(i + 1))
		retake(i);
}

/* Memory that is wanted, and comes back where it can't be had, would be waited for in vain. */
static void tell_of_other_zone(struct memory_notify *memory)
{
	unsigned long i = memplug_region_next_absent(memory->start_pfn >> memplug_subblock_order);

	if (i != ULONG_MAX && subblock_pfn(i) < memory->start_pfn + memory->nr_pages)
		pr_warn_ratelimited("%#llx: was unplugged and is back in a zone where nothing is taken\n",
				    subblock_address(i));
}

static void arrived(struct memory_notify *memory)
{
	update_region(memory);
	tell_of_other_zone(memory);
	retake_quarantined(memory);
}

static void stays(struct memory_notify *memory)
{
	update_region(memory);
	take_back(ULONG_MAX);
}

/* For memplug_hotplug_init(). */
const struct hotplug_events memplug_memory_block_events = {
	.leave = leave,
	.stays = stays,
	.gone = gone,
	.arrived = arrived,
};
