/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MEMPLUG_RAM_H
#define MEMPLUG_RAM_H

#include <linux/types.h>

extern bool memplug_ram_driver_managed;

u32 memplug_ram_judge(unsigned long start_pfn, unsigned long nr_pages);
u32 memplug_ram_judge_unmanaged(unsigned long start_pfn, unsigned long nr_pages);
unsigned long memplug_ram_next(unsigned long pfn);
bool memplug_ram_is_in_other_zone(unsigned long pfn);

#endif
