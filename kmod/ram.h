/* SPDX-License-Identifier: GPL-2.0 */
#ifndef MEMPLUG_RAM_H
#define MEMPLUG_RAM_H

#include <linux/types.h>

u32 ram_judge(unsigned long start_pfn, unsigned long nr_pages);

#endif
