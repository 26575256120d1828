/* SPDX-License-Identifier: MIT */
/* The zones of a node that memplug may take from. */
#ifndef MEMPLUG_TEST_LINUX_MMZONE_H
#define MEMPLUG_TEST_LINUX_MMZONE_H

#include <linux/types.h>

enum { ZONE_DMA32, ZONE_NORMAL, MAX_NR_ZONES };

struct zone {
	unsigned long zone_start_pfn;
	unsigned long spanned_pages;
};

struct pglist_data {
	struct zone node_zones[MAX_NR_ZONES];
};

static inline bool populated_zone(const struct zone *zone)
{
	return zone->spanned_pages;
}

#endif
