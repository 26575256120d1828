/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MEMPLUG_BUDDY_H
#define MEMPLUG_BUDDY_H

void memplug_buddy_free(unsigned long start_pfn, unsigned long nr_pages);

#endif
