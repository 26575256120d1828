/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The unit that everything counts in. A subblock is named by its index, its first
 * page frame divided by the pages of a subblock; the index never changes.
 * No kernel header is needed here, so that the planner also builds in user space.
 */
#ifndef MEMPLUG_SUBBLOCK_H
#define MEMPLUG_SUBBLOCK_H

/**
 * struct subblock_run - neighbouring subblocks
 * @first: index of the first
 * @nr: how many
 */
struct subblock_run {
	unsigned long first;
	unsigned long nr;
};

#endif
