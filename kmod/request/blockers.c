// SPDX-License-Identifier: GPL-2.0-only
/*
 * A request's list of what it could not have. Sorted and merged as it grows, so that its
 * size is bounded whatever the size of memory.
 */
#include <linux/string.h>

#include "books/books.h"
#include "request/blockers.h"

static bool same_kind(const struct memplug_blocked *record, u32 reason, int nid)
{
	return record->reason == reason && record->node == nid;
}

/* The first record that ends after @address. */
static unsigned int find_place(const struct blockers *blockers, u64 address)
{
	unsigned int low = 0, high = blockers->nr;

	while (low < high) {
		unsigned int middle = (low + high) / 2;
		const struct memplug_blocked *record = &blockers->records[middle];

		if (record->start + record->length <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/**
 * memplug_blockers_add - note that a subblock could not be had
 * @blockers: the list; a subblock that it has already stays as it is
 * @index: subblock
 * @reason: MEMPLUG_REASON_*
 * @pfn: the page frame in the way, or 0
 * @nid: the subblock's node
 */
void memplug_blockers_add(struct blockers *blockers, unsigned long index, u32 reason,
			  unsigned long pfn, int nid)
{
	u64 address = subblock_address(index), end = address + subblock_bytes();
	unsigned int place = find_place(blockers, address);
	struct memplug_blocked *next = &blockers->records[place];
	struct memplug_blocked *previous = place ? next - 1 : NULL;
	bool joins_next, joins_previous;

	if (place < blockers->nr && next->start <= address)
		return;
	joins_next = place < blockers->nr && next->start == end && same_kind(next, reason, nid);
	joins_previous = previous && previous->start + previous->length == address &&
			 same_kind(previous, reason, nid);

	if (joins_previous && joins_next) {
		previous->length += subblock_bytes() + next->length;
		blockers->nr--;
		memmove(next, next + 1, (blockers->nr - place) * sizeof(*next));
	} else if (joins_previous) {
		previous->length += subblock_bytes();
	} else if (joins_next) {
		next->start = address;
		next->length += subblock_bytes();
		next->pfn = pfn;
	} else if (blockers->nr == MEMPLUG_MAX_BLOCKED) {
		blockers->overflow = true;
	} else {
		memmove(next + 1, next, (blockers->nr - place) * sizeof(*next));
		*next = (struct memplug_blocked){
			.start = address,
			.length = subblock_bytes(),
			.pfn = pfn,
			.reason = reason,
			.node = nid,
		};
		blockers->nr++;
	}
}
