// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the machine says of a stretch of physical memory: is all of it online System RAM
 * of one zone that memplug looks after, of one node. Looks at the resource tree and at struct
 * pages, and knows nothing of what memplug does with it.
 */
#include <linux/ioport.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>

#include "machine/hotplug.h"
#include "machine/ram.h"
#include "uapi/memplug.h"

/* Memory that another driver added is fit as well. Set once, before the first look. */
bool memplug_ram_driver_managed;

/* Bits of the zones that are looked after. Set once, before the first look. */
unsigned int memplug_ram_zones = BIT(ZONE_NORMAL);

/* What the resource tree says of a stretch of physical memory. */
struct ram_coverage {
	u64 covered;
	bool foreign;
};

/* As memory in use appears in the resource tree, whoever added it. */
#define SYSTEM_RAM (IORESOURCE_SYSTEM_RAM | IORESOURCE_BUSY)

static int add_coverage(struct resource *res, void *data)
{
	struct ram_coverage *coverage = data;

	coverage->covered += resource_size(res);
	coverage->foreign |= !!(res->flags & IORESOURCE_SYSRAM_DRIVER_MANAGED);
	return 0;
}

/**
 * memplug_ram_judge - is this stretch fit to be managed, and if not, why
 * @start_pfn: first page frame, aligned to a pageblock
 * @nr_pages: how many, whole pageblocks
 *
 * Looks at the machine, not at the books. Pageblocks are judged by their ends: a zone or
 * a node does not begin and end within one.
 *
 * Context: takes the lock of the resource tree, sleeps. Events of memory hotplug are kept out, or
 * the last one is at work.
 *
 * Return: MEMPLUG_BAD_NONE if it is fit, else another MEMPLUG_BAD_*.
 */
u32 memplug_ram_judge(unsigned long start_pfn, unsigned long nr_pages)
{
	u64 size = PFN_PHYS((u64)nr_pages);
	u64 start = PFN_PHYS((u64)start_pfn);
	struct ram_coverage coverage = { };
	struct zone *zone = NULL;
	unsigned long pfn;
	bool ours = false, other = false;

	memplug_hotplug_assert_excluded();
	walk_iomem_res_desc(IORES_DESC_NONE, SYSTEM_RAM, start, start + size - 1, &coverage,
			    add_coverage);
	if (!coverage.covered)
		return MEMPLUG_BAD_ABSENT;
	if (coverage.foreign && !memplug_ram_driver_managed)
		return MEMPLUG_BAD_FOREIGN;

	for (pfn = start_pfn; pfn < start_pfn + nr_pages; pfn += pageblock_nr_pages) {
		struct page *page = pfn_to_online_page(pfn);
		struct page *last = pfn_to_online_page(pfn + pageblock_nr_pages - 1);

		if (!page || !last)
			return coverage.covered == size ? MEMPLUG_BAD_OFFLINE :
								      MEMPLUG_BAD_MIXED;
		if (!zone)
			zone = page_zone(page);
		if (memplug_ram_has_zone(page_zonenum(page)))
			ours = true;
		else
			other = true;
		if (page_zone(page) != zone || page_zone(last) != zone)
			return ours ? MEMPLUG_BAD_MIXED : MEMPLUG_BAD_ZONE;
	}
	if (other)
		return MEMPLUG_BAD_ZONE;
	return coverage.covered == size ? MEMPLUG_BAD_NONE : MEMPLUG_BAD_MIXED;
}

/**
 * memplug_ram_place - whose a stretch is that is fit to be managed
 * @pfn: a page frame of it
 *
 * Context: as for memplug_ram_judge().
 */
int memplug_ram_place(unsigned long pfn)
{
	const struct page *page = pfn_to_page(pfn);

	return place_of(page_to_nid(page), page_zonenum(page));
}

/**
 * memplug_ram_judge_unmanaged - why is this stretch, which the books do not have as managed, not so
 * @start_pfn: as for memplug_ram_judge()
 * @nr_pages: likewise
 *
 * Context: as for memplug_ram_judge().
 *
 * Return: MEMPLUG_BAD_*: OFFLINE if it is fit: it is about to come or to go.
 */
u32 memplug_ram_judge_unmanaged(unsigned long start_pfn, unsigned long nr_pages)
{
	u32 why = memplug_ram_judge(start_pfn, nr_pages);

	return why == MEMPLUG_BAD_NONE ? MEMPLUG_BAD_OFFLINE : why;
}

static int note_start(struct resource *res, void *data)
{
	u64 *start = data;

	*start = res->start;
	return 1;
}

/**
 * memplug_ram_next - find the next memory
 * @pfn: where to start
 *
 * Context: takes the lock of the resource tree.
 *
 * Return: the first page frame from there on that is, partly at least, System RAM, or ULONG_MAX.
 */
unsigned long memplug_ram_next(unsigned long pfn)
{
	u64 start = U64_MAX;

	walk_iomem_res_desc(IORES_DESC_NONE, SYSTEM_RAM, PFN_PHYS((u64)pfn), U64_MAX, &start,
			    note_start);
	return start == U64_MAX ? ULONG_MAX : PHYS_PFN(start);
}

/**
 * memplug_ram_is_in_other_zone - is there memory that is in use, of a zone that nobody looks after
 * @pfn: page frame
 *
 * Context: as for memplug_ram_judge().
 */
bool memplug_ram_is_in_other_zone(unsigned long pfn)
{
	struct page *page;

	memplug_hotplug_assert_excluded();
	page = pfn_to_online_page(pfn);
	return page && !memplug_ram_has_zone(page_zonenum(page));
}
