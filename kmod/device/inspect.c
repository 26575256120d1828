// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tells what memory looks like to those who want to know before they ask for any of it. Looks
 * as requests do, and changes nothing.
 */
#include <linux/freezer.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "device/inspect.h"
#include "machine/hotplug.h"
#include "machine/ram.h"
#include "memory/survey.h"
#include "request/signals.h"

#define WAIT_STEP (HZ / 10)	/* how late a signal may be seen in a wait */

static void describe_pages(unsigned long index, struct memplug_subblock *record)
{
	struct survey survey;

	memplug_survey_pages(subblock_pfn(index), subblock_pages(), &survey);
	record->pfn = survey.blocker;
	record->reason = survey.reason;
	if (survey.certain)
		record->flags |= MEMPLUG_SUBBLOCK_CERTAIN;
	record->free = survey.free;
	record->movable = survey.movable;
	record->anon = survey.anon;
	record->file = survey.file;
	record->huge = survey.huge;
}

/* Returns how many subblocks, of at most @most, one answer is good for. */
static unsigned long describe_unmanaged(unsigned long index, unsigned long most,
					struct memplug_subblock *record)
{
	unsigned long next;

	record->why = memplug_ram_judge_unmanaged(subblock_pfn(index), subblock_pages());
	if (record->why != MEMPLUG_BAD_ABSENT)
		return 1;
	/* holes are large: straight to the end of this one */
	next = memplug_ram_next(subblock_pfn(index + 1)) >> memplug_subblock_order;
	return min(next - index, most);
}

/* The stretch that begins at @index, with at most @most subblocks; returns how many it has. */
static unsigned long describe(unsigned long index, unsigned long most,
			      struct memplug_subblock *record)
{
	unsigned long nr = 1;

	memset(record, 0, sizeof(*record));
	record->state = memplug_region_state(index, &record->node, &record->flags);
	if (record->state == MEMPLUG_SUBBLOCK_PLUGGED)
		describe_pages(index, record);
	else if (record->state == MEMPLUG_SUBBLOCK_UNMANAGED)
		nr = describe_unmanaged(index, most, record);
	record->start = subblock_address(index);
	record->length = nr * subblock_bytes();
	return nr;
}

static bool is_alike(const struct memplug_subblock *a, const struct memplug_subblock *b)
{
	return a->state == b->state && a->flags == b->flags && a->why == b->why &&
	       a->node == b->node && (a->state == MEMPLUG_SUBBLOCK_UNPLUGGED ||
				      a->state == MEMPLUG_SUBBLOCK_UNMANAGED);
}

/* A few looks; returns how many subblocks were told of. */
static unsigned long inspect_batch(struct subblock_run run, struct memplug_subblock *records,
				   u32 room, u32 *count)
{
	unsigned long nr, done = 0;
	unsigned int looks;

	for (looks = 0; looks < survey_batch() && done < run.nr; looks++) {
		struct memplug_subblock *last = *count ? &records[*count - 1] : NULL;
		struct memplug_subblock next;

		nr = describe(run.first + done, run.nr - done, &next);
		if (last && is_alike(last, &next))
			last->length += next.length;
		else if (*count < room)
			records[(*count)++] = next;
		else
			break;
		done += nr;
	}
	return done;
}

/**
 * memplug_inspect - tell what memory looks like
 * @run: subblocks; may be managed or not, or not memory at all
 * @records: result
 * @room: how many fit there, not 0
 * @count: result: how many were written
 *
 * Context: sleeps; waits while memory hotplug is under way. A signal ends it early.
 *
 * Return: how many subblocks from the first on the records tell of; 0 only after a signal.
 */
unsigned long memplug_inspect(struct subblock_run run, struct memplug_subblock *records, u32 room,
			      u32 *count)
{
	unsigned long batch, done = 0;

	*count = 0;
	while (run.nr) {
		if (memplug_hotplug_exclude()) {
			memplug_hotplug_wait(WAIT_STEP);
			batch = 0;
		} else {
			batch = inspect_batch(run, records, room, count);
			memplug_hotplug_allow();
			if (!batch)
				break;
		}
		run.first += batch;
		run.nr -= batch;
		done += batch;
		if (memplug_signals_are_due())
			break;
		cond_resched();
		try_to_freeze();
	}
	return done;
}
