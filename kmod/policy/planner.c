// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cheapest first: what is free before anything is moved, then what has the least to move.
 * Among equals, memory blocks that can be emptied whole, or nearly so, come first; then the
 * highest address, as plugging starts from the lowest and what is held stays together.
 * Knows bits and costs, not pages.
 */
#include "policy/planner.h"

/* Of a memory block that is taken from, nothing may stay plugged, then a third, then any part. */
#define PASSES 3

/**
 * memplug_plan_level - the cost of a subblock that can be had
 * @to_move: pages in use
 * @pages: of a subblock
 *
 * Return: PLAN_FREE to PLAN_DEAREST.
 */
unsigned int memplug_plan_level(unsigned long to_move, unsigned long pages)
{
	unsigned long level;

	if (!to_move)
		return PLAN_FREE;
	level = 1 + (to_move - 1) * PLAN_DEAREST / pages;
	return level > PLAN_DEAREST ? PLAN_DEAREST : level;
}

static unsigned int first_pass(const struct plan *plan)
{
	/* a memory block of one subblock is always emptied whole */
	return plan->block > 1 ? 0 : PASSES - 1;
}

static void rewind_to(struct plan *plan, unsigned int level, unsigned int pass)
{
	plan->level = level;
	plan->pass = pass;
	plan->cursor = plan->nr;
	plan->next_level = PLAN_DEAREST + 1;
	plan->seen_block = ULONG_MAX;
}

static unsigned long clamp_run(unsigned long nr)
{
	return nr < 1 ? 1 : nr > PLAN_MAX_RUN ? PLAN_MAX_RUN : nr;
}

/**
 * memplug_plan_start - begin with the cheapest
 * @plan: with what is the caller's filled in; the lengths of runs are clamped to 1 .. PLAN_MAX_RUN
 *
 * To be called again when costs have become known, or lower.
 */
void memplug_plan_start(struct plan *plan)
{
	plan->max_free_run = clamp_run(plan->max_free_run);
	plan->max_run = clamp_run(plan->max_run);
	rewind_to(plan, PLAN_FREE, first_pass(plan));
}

/**
 * memplug_plan_set_cost - a subblock costs something else than was thought
 * @plan: the plan
 * @index: subblock
 * @cost: PLAN_*. One that has become cheaper may not be handed out before memplug_plan_start()
 */
void memplug_plan_set_cost(struct plan *plan, unsigned long index, unsigned int cost)
{
	plan->cost[index] = cost;
	plan->seen_block = ULONG_MAX;
}

/* How many subblocks of a memory block would still be plugged after this level. */
static unsigned long rest_of_block(struct plan *plan, unsigned long block)
{
	unsigned long i = block * plan->block;
	unsigned long end = i + plan->block < plan->nr ? i + plan->block : plan->nr;

	if (plan->seen_block != block) {
		plan->seen_block = block;
		plan->seen_rest = 0;
		for (; i < end; i++)
			plan->seen_rest += plan->cost[i] > plan->level;
	}
	return plan->seen_rest;
}

/* Is it the turn of this candidate's memory block? */
static bool is_blocks_turn(struct plan *plan, unsigned long index)
{
	return plan->pass == PASSES - 1 ||
	       rest_of_block(plan, index / plan->block) <= plan->block * plan->pass / PASSES;
}

static bool is_turn(struct plan *plan, unsigned long index)
{
	return plan->cost[index] <= plan->level && is_blocks_turn(plan, index);
}

/* The highest candidate below the cursor whose turn it is; moves the cursor there. */
static bool find_last(struct plan *plan, unsigned long *last)
{
	while (plan->cursor) {
		unsigned long i = find_last_bit(plan->candidates, plan->cursor);

		if (i >= plan->cursor)
			break;
		if (is_turn(plan, i)) {
			*last = i;
			return true;
		}
		/* the last pass meets all that is left: levels that nobody is of are passed over */
		if (plan->cost[i] > plan->level && plan->cost[i] < plan->next_level)
			plan->next_level = plan->cost[i];
		/* all of its memory block, or just this one */
		plan->cursor = is_blocks_turn(plan, i) ? i : i - i % plan->block;
	}
	plan->cursor = 0;
	return false;
}

static bool next_pass(struct plan *plan)
{
	if (plan->pass < PASSES - 1) {
		rewind_to(plan, plan->level, plan->pass + 1);
	} else if (plan->next_level <= PLAN_DEAREST) {
		rewind_to(plan, plan->next_level, first_pass(plan));
	} else {
		/* what is given back from now on is handed out whatever it costs */
		plan->level = PLAN_DEAREST;
		return false;
	}
	return true;
}

static bool is_joined_to_below(const struct plan *plan, unsigned long index)
{
	return index && !test_bit(index, plan->seams) && !test_bit(index, plan->splits) &&
	       test_bit(index - 1, plan->candidates);
}

/**
 * memplug_plan_next - hand out the next run
 * @plan: the plan
 * @want: subblocks still wanted; the run is not longer, 0 gives nothing
 * @run: result
 *
 * Return: false if nothing is left of what costs are known of.
 */
bool memplug_plan_next(struct plan *plan, unsigned long want, struct subblock_run *run)
{
	unsigned long last, first, limit;

	if (!want)
		return false;
	while (!find_last(plan, &last))
		if (!next_pass(plan))
			return false;
	limit = plan->level == PLAN_FREE ? plan->max_free_run : plan->max_run;
	if (limit > want)
		limit = want;
	first = last;
	while (last - first + 1 < limit && is_joined_to_below(plan, first) &&
	       is_turn(plan, first - 1))
		first--;

	run->first = first;
	run->nr = last - first + 1;
	bitmap_clear(plan->candidates, run->first, run->nr);
	plan->cursor = first;
	return true;
}

/**
 * memplug_plan_give_back - hand this run, or a part of one, out again
 * @plan: the plan
 * @run: all or part of a run that memplug_plan_next() handed out and that was not used
 */
void memplug_plan_give_back(struct plan *plan, struct subblock_run run)
{
	bitmap_set(plan->candidates, run.first, run.nr);
	if (plan->cursor < run.first + run.nr)
		plan->cursor = run.first + run.nr;
}

/**
 * memplug_plan_split - give back a run that failed, without what is in the way
 * @plan: the plan
 * @run: the run, of 1 to PLAN_MAX_RUN subblocks
 * @blocked: bit n set: subblock run.first + n is in the way, and stays plugged
 *
 * Gives back the stretches between blocked subblocks. Where nothing is known to be in the
 * way, it gives back the two halves, never to be joined again; a single subblock is not
 * given back, so that splitting ends.
 */
void memplug_plan_split(struct plan *plan, struct subblock_run run, const unsigned long *blocked)
{
	unsigned long from, to;

	if (find_first_bit(blocked, run.nr) < run.nr) {
		for (from = 0; from < run.nr; from = to + 1) {
			to = find_next_bit(blocked, run.nr, from);
			if (to > from)
				memplug_plan_give_back(plan, (struct subblock_run){
						.first = run.first + from, .nr = to - from });
			if (to < run.nr)
				memplug_plan_set_cost(plan, run.first + to, PLAN_KEPT);
		}
	} else if (run.nr < 2) {
		memplug_plan_set_cost(plan, run.first, PLAN_KEPT);
	} else {
		bitmap_set(plan->splits, run.first + run.nr / 2, 1);
		memplug_plan_give_back(plan, run);
	}
}

/**
 * memplug_plan_next_contiguous - find the cheapest place for one run of a given length
 * @plan: the plan; its candidates are not cleared
 * @nr: subblocks of the run
 * @align: the run's first subblock is a multiple of this
 * @run: result: of places that cost the same in all, the highest
 *
 * The caller clears the candidate that turned out to be in the way, or tells its new cost,
 * and calls again.
 *
 * Return: false if there is no place of which all costs are known.
 */
bool memplug_plan_next_contiguous(struct plan *plan, unsigned long nr, unsigned long align,
				  struct subblock_run *run)
{
	unsigned long least = ULONG_MAX, sum = 0, length = 0;
	unsigned long i;

	if (!nr || !align)
		return false;
	/* length: how many fit together from i upward; sum: what the first nr of them cost */
	for (i = plan->nr; i-- > 0 && least;) {
		if (!test_bit(i, plan->candidates) || plan->cost[i] > PLAN_DEAREST) {
			length = 0;
			continue;
		}
		if (!length || test_bit(i + 1, plan->seams)) {
			length = 0;
			sum = 0;
		}
		length++;
		sum += plan->cost[i];
		if (length > nr)
			sum -= plan->cost[i + nr];
		if (length >= nr && i % align == 0 && sum < least) {
			least = sum;
			run->first = i;
			run->nr = nr;
		}
	}
	return least < ULONG_MAX;
}
