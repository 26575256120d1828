/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MEMPLUG_SURVEY_H
#define MEMPLUG_SURVEY_H

#include <linux/sizes.h>
#include <linux/types.h>

#include "books/books.h"

/**
 * struct survey - what the pages of a stretch looked like
 * @free: pages in the free lists, or on their way there
 * @movable: pages in use that the kernel can move or drop; the next three are of these
 * @anon: pages of processes
 * @file: pages of the page cache, tmpfs included
 * @huge: those of either that are part of a huge page
 * @blocker: first page frame that is in the way, 0 if none was seen; one that lasts takes the
 *           place of one that may go, and one that may be pinned that of one in flux
 * @reason: MEMPLUG_REASON_* of @blocker
 * @certain: @blocker will not go away by trying: a claim would fail
 */
struct survey {
	unsigned long free;
	unsigned long movable;
	unsigned long anon;
	unsigned long file;
	unsigned long huge;
	unsigned long blocker;
	u32 reason;
	bool certain;
};

/* Subblocks that are looked at before others get their turn: 64 of the usual size. */
static inline unsigned int survey_batch(void)
{
	return subblock_bytes() < SZ_256M ? SZ_256M / subblock_bytes() : 1;
}

bool memplug_survey_all_free(unsigned long start_pfn, unsigned long nr_pages);
void memplug_survey_pages(unsigned long start_pfn, unsigned long nr_pages, struct survey *survey);

#endif
