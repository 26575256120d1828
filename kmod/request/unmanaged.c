// SPDX-License-Identifier: GPL-2.0-only
/* Says what is not managed of the memory that somebody names, and why it is not. */
#include "books/books.h"
#include "machine/hotplug.h"
#include "machine/ram.h"
#include "request/unmanaged.h"

/**
 * memplug_unmanaged_find - find the first part of a run that is not managed, and why it is not
 * @within: the run
 * @bad: result
 * @why: result if there is one: MEMPLUG_BAD_*, of its first subblock
 *
 * Context: sleeps, not for long.
 *
 * Return: whether there is one.
 */
bool memplug_unmanaged_find(struct subblock_run within, struct subblock_run *bad, u32 *why)
{
	bool found;

	/* what is at an event of its own is told of as it is: nobody waits for that */
	memplug_hotplug_exclude_events();
	found = memplug_region_find_unmanaged(within, bad);
	if (found)
		*why = memplug_ram_judge_unmanaged(subblock_pfn(bad->first), subblock_pages());
	memplug_hotplug_allow();
	return found;
}
