/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MEMPLUG_CONTIG_H
#define MEMPLUG_CONTIG_H

#include <linux/types.h>

int memplug_contig_claim(unsigned long start_pfn, unsigned long nr_pages,
			 int (*should_stop)(const void *why), const void *why);
int memplug_contig_leave(unsigned long start_pfn, unsigned long nr_pages);
void memplug_contig_stay(unsigned long start_pfn, unsigned long nr_pages);
bool memplug_contig_gone(unsigned long start_pfn, unsigned long nr_pages);
void memplug_contig_release(unsigned long start_pfn, unsigned long nr_pages);
void memplug_contig_release_around_hwpoison(unsigned long start_pfn, unsigned long nr_pages);
void memplug_contig_zero(unsigned long start_pfn, unsigned long nr_pages);
unsigned long memplug_contig_find_hwpoison(unsigned long start_pfn, unsigned long nr_pages);

#endif
