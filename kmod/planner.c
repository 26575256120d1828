// SPDX-License-Identifier: GPL-2.0
/*
 * Address order, from the highest subblock down: plugging starts from the lowest, so
 * that what is held stays together. Knows bits, not pages.
 */
#include "planner.h"

/**
 * plan_init - start a pass
 * @plan: to be filled
 * @candidates: subblocks that may be handed out; the plan clears bits as it goes
 * @seams: subblocks that may not share a run with the one below
 * @nr: bits in both
 * @max_run: longest run to hand out; clamped to 1 .. PLAN_MAX_RUN
 */
void plan_init(struct plan *plan, unsigned long *candidates, const unsigned long *seams,
	       unsigned long nr, unsigned long max_run)
{
	plan->candidates = candidates;
	plan->seams = seams;
	plan->nr = nr;
	plan->max_run = max_run < 1 ? 1 : max_run > PLAN_MAX_RUN ? PLAN_MAX_RUN : max_run;
	plan->cursor = nr;
	plan->nr_pending = 0;
}

static bool next_pending(struct plan *plan, unsigned long limit, struct subblock_run *run)
{
	struct subblock_run *top;

	if (!plan->nr_pending)
		return false;
	top = &plan->pending[plan->nr_pending - 1];
	if (top->nr > limit) {
		run->nr = limit;
		run->first = top->first + top->nr - limit;
		top->nr -= limit;
	} else {
		*run = *top;
		plan->nr_pending--;
	}
	return true;
}

/**
 * plan_next - hand out the next run
 * @plan: the plan
 * @want: subblocks still wanted; the run is not longer, 0 gives nothing
 * @run: result
 *
 * Return: false if nothing is left.
 */
bool plan_next(struct plan *plan, unsigned long want, struct subblock_run *run)
{
	unsigned long limit = want < plan->max_run ? want : plan->max_run;
	unsigned long last, first;

	if (!limit)
		return false;
	if (next_pending(plan, limit, run))
		return true;

	last = find_last_bit(plan->candidates, plan->cursor);
	if (last >= plan->cursor) {
		plan->cursor = 0;
		return false;
	}
	first = last;
	while (first && last - first + 1 < limit && !test_bit(first, plan->seams) &&
	       test_bit(first - 1, plan->candidates))
		first--;

	run->first = first;
	run->nr = last - first + 1;
	bitmap_clear(plan->candidates, run->first, run->nr);
	plan->cursor = first;
	return true;
}

/**
 * plan_give_back - hand this run, or a part of one, out again before anything else
 * @plan: the plan
 * @run: all or part of a run that plan_next() handed out and that was not used
 *
 * The parts given back never outnumber the subblocks of the run in hand plus what is
 * pending already, which came from one run too, so the array can't overflow.
 */
void plan_give_back(struct plan *plan, struct subblock_run run)
{
	if (run.nr && plan->nr_pending < PLAN_MAX_RUN)
		plan->pending[plan->nr_pending++] = run;
}

/**
 * plan_split - give back a run that failed, without what is in the way
 * @plan: the plan
 * @run: the run, of 1 to PLAN_MAX_RUN subblocks
 * @blocked: bit n set: subblock run.first + n is in the way
 *
 * Gives back each stretch between blocked subblocks. Where nothing is known to be in the
 * way, it gives back the two halves; a single subblock is not given back, so that
 * splitting ends.
 */
void plan_split(struct plan *plan, struct subblock_run run, const unsigned long *blocked)
{
	unsigned long half, from, to;
	struct subblock_run part;

	if (find_first_bit(blocked, run.nr) < run.nr) {
		for (from = 0; from < run.nr; from = to + 1) {
			to = find_next_bit(blocked, run.nr, from);
			part.first = run.first + from;
			part.nr = to - from;
			plan_give_back(plan, part);
		}
		return;
	}
	if (run.nr < 2)
		return;
	half = run.nr / 2;
	part.first = run.first;
	part.nr = half;
	plan_give_back(plan, part);
	part.first = run.first + half;
	part.nr = run.nr - half;
	plan_give_back(plan, part);
}

/* The highest subblock of a run that keeps it from being one piece, or the run's end. */
static unsigned long highest_gap(const struct plan *plan, unsigned long first, unsigned long nr)
{
	unsigned long i;

	for (i = first + nr; i-- > first;) {
		if (!test_bit(i, plan->candidates))
			return i;
		if (i > first && test_bit(i, plan->seams))
			return i;
	}
	return first + nr;
}

/**
 * plan_next_contiguous - find the next place for one run of a given length
 * @plan: the plan; its candidates are not cleared
 * @nr: subblocks of the run
 * @align: the run's first subblock is a multiple of this
 * @run: result
 *
 * The caller clears the candidate that turned out to be in the way and calls again; the
 * search goes on downward from where it was.
 *
 * Return: false if there is no place left.
 */
bool plan_next_contiguous(struct plan *plan, unsigned long nr, unsigned long align,
			  struct subblock_run *run)
{
	unsigned long first, gap;

	if (!nr || !align)
		return false;
	/* the cursor is the end below which the run has to lie */
	while (plan->cursor >= nr) {
		first = plan->cursor - nr;
		first -= first % align;
		gap = highest_gap(plan, first, nr);
		if (gap == first + nr) {
			run->first = first;
			run->nr = nr;
			plan->cursor = first + nr;
			return true;
		}
		plan->cursor = gap;
	}
	return false;
}
