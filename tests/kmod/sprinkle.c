// SPDX-License-Identifier: GPL-2.0-only
/*
 * Puts one unmovable page into a third of the pageblocks of ZONE_NORMAL and keeps it until
 * the module is unloaded. For guests of the benchmark only: nothing here is careful with
 * memory hotplug, which must not happen to those blocks meanwhile.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/gfp.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/nodemask.h>
#include <linux/prandom.h>
#include <linux/vmalloc.h>

static u32 seed = 1;
module_param(seed, uint, 0444);
MODULE_PARM_DESC(seed, "chooses the blocks; 0: exactly every third one");

static struct page **kept;
static unsigned long nr_kept;

/* The third argument was a migratetype until it became acr_flags_t. */
static int claim(unsigned long pfn, unsigned long nr_pages)
{
#ifdef ACR_FLAGS_NONE
	return alloc_contig_range(pfn, pfn + nr_pages, ACR_FLAGS_NONE, GFP_KERNEL | __GFP_NOWARN);
#else
	return alloc_contig_range(pfn, pfn + nr_pages, MIGRATE_MOVABLE, GFP_KERNEL | __GFP_NOWARN);
#endif
}

static bool is_whole(struct zone *zone, unsigned long pfn)
{
	struct page *first = pfn_to_online_page(pfn);
	struct page *last = pfn_to_online_page(pfn + pageblock_nr_pages - 1);

	return first && last && page_zone(first) == zone && page_zone(last) == zone;
}

/* Keeps the page in the middle, frees the rest. */
static bool sprinkle_block(unsigned long pfn)
{
	unsigned long middle = pageblock_nr_pages / 2;

	if (claim(pfn, pageblock_nr_pages))
		return false;
	free_contig_range(pfn, middle);
	free_contig_range(pfn + middle + 1, pageblock_nr_pages - middle - 1);
	kept[nr_kept++] = pfn_to_page(pfn + middle);
	return true;
}

static int sprinkle_zone(struct zone *zone)
{
	unsigned long start = ALIGN(zone->zone_start_pfn, pageblock_nr_pages);
	unsigned long end = zone_end_pfn(zone);
	unsigned long pfn, nr = 0, wanted = 0, got = 0;
	struct rnd_state state;

	prandom_seed_state(&state, seed);
	for (pfn = start; pfn + pageblock_nr_pages <= end; pfn += pageblock_nr_pages, nr++) {
		bool chosen = seed ? prandom_u32_state(&state) % 3 == 0 : nr % 3 == 0;

		if (!chosen || !is_whole(zone, pfn))
			continue;
		wanted++;
		got += sprinkle_block(pfn);
		cond_resched();
		if (signal_pending(current))
			return -EINTR;
	}
	pr_info("node %d: %lu of %lu chosen pageblocks got an unmovable page\n",
		zone_to_nid(zone), got, wanted);
	return 0;
}

static void free_kept(void)
{
	while (nr_kept)
		__free_page(kept[--nr_kept]);
	vfree(kept);
}

static int __init sprinkle_init(void)
{
	unsigned long nr_blocks = 0;
	int nid, ret = 0;

	for_each_online_node(nid)
		nr_blocks += NODE_DATA(nid)->node_zones[ZONE_NORMAL].spanned_pages /
			     pageblock_nr_pages;
	if (!nr_blocks)
		return -ENODEV;
	kept = vmalloc(array_size(nr_blocks, sizeof(*kept)));
	if (!kept)
		return -ENOMEM;
	for_each_online_node(nid) {
		struct zone *zone = &NODE_DATA(nid)->node_zones[ZONE_NORMAL];

		if (populated_zone(zone))
			ret = sprinkle_zone(zone);
		if (ret)
			break;
	}
	if (ret)
		free_kept();
	return ret;
}

static void __exit sprinkle_exit(void)
{
	free_kept();
}

module_init(sprinkle_init);
module_exit(sprinkle_exit);

MODULE_DESCRIPTION("Unmovable pages all over ZONE_NORMAL, for the benchmark");
MODULE_LICENSE("GPL");
