/* SPDX-License-Identifier: GPL-2.0 */
#ifndef MEMPLUG_CONTIG_H
#define MEMPLUG_CONTIG_H

#include <linux/types.h>

int contig_claim(unsigned long start_pfn, unsigned long nr_pages,
		 int (*should_stop)(const void *why), const void *why);
int contig_leave(unsigned long start_pfn, unsigned long nr_pages);
void contig_stay(unsigned long start_pfn, unsigned long nr_pages);
bool contig_gone(unsigned long start_pfn, unsigned long nr_pages);
void contig_release(unsigned long start_pfn, unsigned long nr_pages);
void contig_release_around_hwpoison(unsigned long start_pfn, unsigned long nr_pages);
void contig_zero(unsigned long start_pfn, unsigned long nr_pages);
unsigned long contig_find_hwpoison(unsigned long start_pfn, unsigned long nr_pages);

#endif
