/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MEMPLUG_REQUEST_H
#define MEMPLUG_REQUEST_H

#include <linux/ktime.h>
#include <linux/nodemask.h>

#include "books/books.h"
#include "machine/ram.h"
#include "memory/claim.h"
#include "memory/floor.h"
#include "policy/planner.h"
#include "request/blockers.h"

/* Claims that one request may have waiting or running: two for each that may run at a time. */
#define REQUEST_MAX_ATTEMPTS (2 * WORKER_MAX)

/* What a request takes from at the moment. */
enum request_zone { REQUEST_ANY, REQUEST_NORMAL, REQUEST_LOW };

/**
 * struct attempt - a run that a request is having claimed
 * @claim: the worker's part
 * @place: of the run
 * @share: what the floor has reserved for it
 * @number: attempts that were started later have higher ones
 * @in_flight: started and not landed
 */
struct attempt {
	struct claim claim;
	int place;
	struct floor_share share;
	u64 number;
	bool in_flight;
};

/**
 * struct request - one unplug or plug, from what is asked to what came of it
 * @operation: asked: MEMPLUG_OP_*
 * @flags: asked: MEMPLUG_REQ_*
 * @within: asked: the range, the window, or everything
 * @length: asked: subblocks; with a range, those of the range; with ALL, 0
 * @align: asked: subblocks, for a contiguous run
 * @nid: asked: node, or NUMA_NO_NODE
 * @timeout_ns: asked: 0 for none
 * @owner: asked: the descriptor that what is unplugged is to be tied to; or itself, as @own, until
 *         it is settled; or NULL, if it gives nothing back
 * @background: asked by memplug itself, toward the target: neither a caller's, nor counted
 * @only_wanted: asked, in the background: what is wanted, all of it; @length is 0
 * @skip: asked, in the background: bitmap of subblocks to pass over, or NULL
 * @skip_fresh: asked, with @skip: those of them that may be had yet, by waiting for them
 * @skip_nr: bits in each
 * @cancelled: asked, in the background: becomes true when it is to stop, or NULL
 *
 * @requested: result: as @length, or with ALL what there was
 * @done: result: subblocks changed and not changed back
 * @already: result: subblocks of the range that were so before
 * @left: result: subblocks unplugged but not ordinary, which a plug passed over
 * @migrated: result: pages moved meanwhile
 * @stop: result: MEMPLUG_STOP_*
 * @started: when it was made, for its deadline as well
 * @elapsed_ns: result: once it is over
 * @bad: result with -ENXIO: the first part of @within that is not managed
 * @bad_why: result with -ENXIO: MEMPLUG_BAD_*
 * @changed: result: bitmap of the subblocks that @done counts
 * @blockers: result: what could not be had
 * @missed: result: bitmap of the same, subblock by subblock, or NULL if nobody asks
 *
 * @own: in the books while it runs
 * @view: what there was at the beginning; its maps are used up
 * @retry: bitmap: failed for reasons that may go away
 * @final: nothing is left for a later pass: try, and take no for an answer
 * @drained: no claim has failed since the last one that succeeded
 * @gave_way: a claim has ended for the sake of memory hotplug, and none has succeeded since
 * @nomem_claims: how often there was no room to move things to
 * @floor_refused: some zone could not give what was tried
 * @zone_refusals: how often in a row, by place
 * @pretended: a dry run's shares, by place
 * @zone: asked: of which zones; then those of the view, from now on
 * @low: bitmap, for that
 * @by_cost: in this pass the cheapest comes first; else the highest address
 * @plan: of the pass under way; its candidates are @view's
 * @free_looked: every candidate at or above it was looked at, if it is free
 * @used_looked: every candidate at or above it was looked at with all its pages
 * @nr_looked: what the last such look has found
 * @attempts: runs in flight
 * @nr_in_flight: how many
 * @pending: how many subblocks they have together
 * @nr_attempts: how many were ever started
 * @landed: completed once for each attempt that is over
 *
 * Belongs to the task that carries it out. Others may read requested, done, already and
 * migrated meanwhile, each a single word.
 */
struct request {
	u32 operation;
	u32 flags;
	struct subblock_run within;
	unsigned long length;
	unsigned long align;
	int nid;
	u64 timeout_ns;
	const struct region_owner *owner;
	bool background;
	bool only_wanted;
	const unsigned long *skip;
	const unsigned long *skip_fresh;
	unsigned long skip_nr;
	const bool *cancelled;

	unsigned long requested;
	unsigned long done;
	unsigned long already;
	unsigned long left;
	u64 migrated;
	u32 stop;
	ktime_t started;
	u64 elapsed_ns;
	struct subblock_run bad;
	u32 bad_why;
	unsigned long *changed;
	struct blockers blockers;
	unsigned long *missed;

	struct region_owner own;
	struct region_view view;
	unsigned long *retry;
	bool final;
	bool drained;
	bool gave_way;
	unsigned int nomem_claims;
	bool floor_refused;
	unsigned int *zone_refusals;
	struct floor_share *pretended;
	enum request_zone zone;
	unsigned long *low;
	bool by_cost;
	struct plan plan;
	unsigned long free_looked;
	unsigned long used_looked;
	unsigned long nr_looked;
	struct attempt attempts[REQUEST_MAX_ATTEMPTS];
	unsigned int nr_in_flight;
	unsigned long pending;
	u64 nr_attempts;
	struct completion landed;
};

struct request *memplug_request_alloc(void);
void memplug_request_free(struct request *req);
void memplug_request_roll_back(struct request *req);
void memplug_request_settle(struct request *req);
void memplug_request_narrow_to_zone(struct request *req);
bool memplug_request_should_stop(struct request *req);
bool memplug_request_enter(struct request *req);
bool memplug_request_next_range(const struct request *req, unsigned long from,
				struct subblock_run *run);

/* what is still missing */
static inline unsigned long request_missing(const struct request *req)
{
	return req->requested - req->done - req->already;
}

static inline bool request_is(const struct request *req, u32 flag)
{
	return req->flags & flag;
}

static inline enum region_mover request_mover(const struct request *req)
{
	return req->background ? REGION_OWN : REGION_ASKED;
}

void memplug_request_count_done(struct request *req, struct subblock_run run);
void memplug_request_block(struct request *req, unsigned long index, u32 reason, unsigned long pfn);

#endif
