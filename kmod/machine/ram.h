/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MEMPLUG_RAM_H
#define MEMPLUG_RAM_H

#include <linux/types.h>

#include "machine/place.h"

extern bool memplug_ram_driver_managed;
extern unsigned int memplug_ram_zones;

static inline bool memplug_ram_has_zone(unsigned int zone)
{
	return memplug_ram_zones & (1U << zone);
}

/* Is there more than ZONE_NORMAL, so that what is low has to be told from it? */
static inline bool memplug_ram_has_low_zones(void)
{
	return memplug_ram_zones & ((1U << ZONE_NORMAL) - 1);
}

u32 memplug_ram_judge(unsigned long start_pfn, unsigned long nr_pages);
u32 memplug_ram_judge_unmanaged(unsigned long start_pfn, unsigned long nr_pages);
unsigned long memplug_ram_next(unsigned long pfn);
bool memplug_ram_is_in_other_zone(unsigned long pfn);
int memplug_ram_place(unsigned long pfn);

#endif
