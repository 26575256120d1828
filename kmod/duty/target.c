// SPDX-License-Identifier: GPL-2.0-only
/*
 * The worker that makes the books say what they ought to: it unplugs what is wanted, and
 * unplugs or plugs until the target is reached. It makes requests like anyone else, in the
 * background, one after the other, under the same floor. Whatever changes in the books wakes
 * it; what could not be had it tries again after a while, each subblock in its own time.
 *
 * A thread, and no work item: it has to freeze while it waits for its own claims, which are
 * work items of a queue that freezes.
 */
#include <linux/bitmap.h>
#include <linux/freezer.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "duty/quarantine.h"
#include "duty/target.h"
#include "machine/hotplug.h"
#include "machine/ram.h"
#include "memory/floor.h"
#include "policy/backoff.h"
#include "request/dispatch.h"
#include "request/request.h"

#define FIRST_PAUSE_MS 16U	/* after a round in which nothing was done; doubles */
#define LONGEST_PAUSE_MS 2048U
#define STUCK_MS 1000U		/* so long without progress, and that is told */
#define REST 20U		/* a round in vain is followed by so many times its length */
#define LONGEST_REST_MS 8192U
#define REMOVAL_PAUSE_MS 2048U	/* how often to see whether memory that is wanted was removed */

/* What came of a round. */
enum outcome {
	OUTCOME_NOTHING,	/* nothing was to be done */
	OUTCOME_PROGRESS,	/* something was done, or the aim has changed */
	OUTCOME_FLOOR,		/* nothing was done: the floor is in the way */
	OUTCOME_BLOCKED,	/* nothing was done: there is nothing to be had for now */
};

/* Everything below @cancelled is the thread's own. */
static struct {
	struct task_struct *task;
	bool ending;			/* nothing new is to begin */
	bool cancelled;			/* the request under way is to stop */
	struct patience patience;
	unsigned long *skip;		/* bitmap: has to wait */
	unsigned long *skip_fresh;	/* bitmap: has to wait, but not for seconds so far */
	u64 progress_ms;		/* when something was done last */
	unsigned int pause_ms;
} target;

static u64 now_ms(void)
{
	return ktime_to_ms(ktime_get());
}

static void free_patience(void)
{
	kvfree(target.patience.due);
	kvfree(target.patience.tries);
	kvfree(target.skip);
	kvfree(target.skip_fresh);
	target.patience = (struct patience){ };
	target.skip = NULL;
	target.skip_fresh = NULL;
}

/* Books for as many subblocks as there are now. Without memory for them: none, and no waiting. */
static void size_patience(void)
{
	struct patience *patience = &target.patience;
	unsigned long nr = memplug_region_nr();

	if (nr == patience->nr)
		return;
	free_patience();
	patience->due = kvcalloc(nr, sizeof(*patience->due), GFP_KERNEL);
	patience->tries = kvcalloc(nr, sizeof(*patience->tries), GFP_KERNEL);
	target.skip = kvcalloc(BITS_TO_LONGS(nr), sizeof(long), GFP_KERNEL);
	target.skip_fresh = kvcalloc(BITS_TO_LONGS(nr), sizeof(long), GFP_KERNEL);
	if (patience->due && patience->tries && target.skip && target.skip_fresh)
		patience->nr = nr;
	else
		free_patience();
}

/* What is wanted on memory that is not there any more is not wanted any more, nor bad. */
static void forget_removed(void)
{
	unsigned long i;

	for (i = memplug_region_next_absent(0); i != ULONG_MAX;
	     i = memplug_region_next_absent(i + 1)) {
		struct subblock_run one = { .first = i, .nr = 1 };
		bool removed;

		if (memplug_hotplug_exclude())
			return;
		removed = memplug_ram_judge(subblock_pfn(i), subblock_pages()) ==
			  MEMPLUG_BAD_ABSENT;
		memplug_hotplug_allow();
		if (removed) {
			memplug_quarantine_change(one, false);
			memplug_region_drop_wanted(one, NUMA_NO_NODE);
		}
		cond_resched();
	}
}

static void note_missed(const struct request *req)
{
	u64 now = now_ms();
	unsigned long i;

	for_each_set_bit(i, req->missed, req->view.nr)
		memplug_backoff_failed(&target.patience, i, now);
}

static enum outcome judge(const struct request *req)
{
	if (req->done || req->stop == MEMPLUG_STOP_INTERRUPTED)
		return OUTCOME_PROGRESS;
	/* also if all that it could have tried has to wait, so that it asked for nothing */
	return req->stop == MEMPLUG_STOP_FLOOR ? OUTCOME_FLOOR : OUTCOME_BLOCKED;
}

static enum outcome carry_out(struct request *req)
{
	enum outcome ret = OUTCOME_BLOCKED;

	req->background = true;
	req->cancelled = &target.cancelled;
	req->within.nr = ULONG_MAX;
	req->align = 1;
	if (!memplug_request_run(req)) {
		note_missed(req);
		ret = judge(req);
	}
	return ret;
}

/* All that is @wanted, or so many subblocks. */
static enum outcome unplug_some(bool wanted, unsigned long nr)
{
	struct request *req;
	enum outcome ret;

	/* not worth a look at memory */
	if (!memplug_floor_has_room(subblock_pages()))
		return OUTCOME_FLOOR;
	req = memplug_request_alloc();
	if (!req)
		return OUTCOME_BLOCKED;
	req->operation = MEMPLUG_OP_UNPLUG;
	req->only_wanted = wanted;
	req->length = nr;
	if (target.patience.nr) {
		memplug_backoff_mark(&target.patience, target.skip, target.skip_fresh, now_ms());
		req->skip = target.skip;
		req->skip_fresh = target.skip_fresh;
		req->skip_nr = target.patience.nr;
	}
	ret = carry_out(req);
	memplug_request_free(req);
	return ret;
}

static enum outcome plug_some(unsigned long nr)
{
	struct request *req = memplug_request_alloc();
	enum outcome ret;

	if (!req)
		return OUTCOME_BLOCKED;
	req->operation = MEMPLUG_OP_PLUG;
	req->length = nr;
	ret = carry_out(req);
	memplug_request_free(req);
	return ret;
}

/* One request, for what is to be done first. */
static enum outcome do_some(const struct region_aim *aim)
{
	bool has_target = aim->target != REGION_NO_TARGET;
	enum outcome ret;

	if (has_target && aim->lasting < aim->target) {
		if (!aim->droppable_here)
			return plug_some(aim->target - aim->lasting);
		memplug_region_drop_wanted_here(aim->target - aim->lasting);
		return OUTCOME_PROGRESS;
	}
	if (aim->wanted_here) {
		ret = unplug_some(true, 0);
		if (ret == OUTCOME_PROGRESS)
			return ret;
		if (ret == OUTCOME_FLOOR && !memplug_floor_has_room(subblock_pages()))
			return ret;
		/*
		 * What is wanted may be out of reach for long, or be kept by its zone alone: the
		 * rest is not to wait for it.
		 */
	} else {
		ret = OUTCOME_NOTHING;
	}
	if (has_target && aim->lasting > aim->target)
		ret = unplug_some(false, aim->lasting - aim->target);
	return ret;
}

static bool is_reached(const struct region_aim *aim)
{
	return !aim->wanted_here &&
	       (aim->target == REGION_NO_TARGET || aim->lasting == aim->target);
}

static void tell(const struct region_aim *aim, enum outcome outcome)
{
	u32 state;

	if (is_reached(aim))
		state = MEMPLUG_TARGET_REACHED;
	else if (outcome == OUTCOME_PROGRESS || now_ms() - target.progress_ms < STUCK_MS)
		state = MEMPLUG_TARGET_WORKING;
	else if (outcome == OUTCOME_FLOOR)
		state = MEMPLUG_TARGET_FLOOR;
	else
		state = MEMPLUG_TARGET_BLOCKED;
	memplug_region_set_target_state(state, aim->generation);
}

static void note_progress(void)
{
	target.progress_ms = now_ms();
	target.pause_ms = FIRST_PAUSE_MS;
}

/* How long to sleep after a round in vain, in milliseconds. */
static unsigned int next_pause(enum outcome outcome)
{
	unsigned int wait, pause = target.pause_ms;

	target.pause_ms = min(2 * pause, LONGEST_PAUSE_MS);
	/* a round in which all that is left has to wait would be in vain as well */
	if (outcome == OUTCOME_BLOCKED && target.patience.nr) {
		wait = memplug_backoff_mark(&target.patience, target.skip, target.skip_fresh,
					    now_ms());
		pause = clamp(wait, pause, LONGEST_PAUSE_MS);
	}
	return pause;
}

static bool is_cancelled(void)
{
	return READ_ONCE(target.cancelled) || kthread_should_stop();
}

static bool has_news(u64 seen)
{
	return is_cancelled() || memplug_region_generation() != seen;
}

/* Not even for news: rounds in vain are not to take more than their share of a CPU. */
static void rest(u64 round_ms)
{
	u64 ms = min_t(u64, max_t(u64, REST * round_ms, FIRST_PAUSE_MS), LONGEST_REST_MS);

	wait_event_freezable_timeout(*memplug_region_wait_queue(), is_cancelled(),
				     msecs_to_jiffies(ms));
}

/* With nothing to do but to see whether memory that is wanted was removed, if there is any. */
static unsigned long idle(const struct region_aim *aim)
{
	note_progress();
	return aim->wanted_absent ? msecs_to_jiffies(REMOVAL_PAUSE_MS) : MAX_SCHEDULE_TIMEOUT;
}

/*
 * One round. Returns how long to sleep then, in jiffies, unless the books change from what was
 * @seen of them.
 */
static unsigned long work(u64 *seen)
{
	struct region_aim aim;
	enum outcome outcome;
	u64 began = now_ms();

	if (READ_ONCE(target.cancelled) && !READ_ONCE(target.ending)) {
		WRITE_ONCE(target.cancelled, false);
		/* a target that is set from here on cancels, one that was set before is read */
		smp_mb();
		/* who waits for the end of what was cancelled */
		wake_up_all(memplug_region_wait_queue());
		memplug_backoff_forget(&target.patience);
		note_progress();
	}
	forget_removed();
	memplug_region_read_aim(&aim);
	*seen = aim.generation;
	if (aim.target == REGION_NO_TARGET && !aim.wanted_here) {
		free_patience();
		return idle(&aim);
	}
	size_patience();
	outcome = do_some(&aim);
	memplug_region_read_aim(&aim);
	*seen = aim.generation;
	tell(&aim, outcome);
	if (is_reached(&aim))
		return idle(&aim);
	/* the aim may have changed since it was read */
	if (outcome == OUTCOME_NOTHING || outcome == OUTCOME_PROGRESS) {
		note_progress();
		return 0;
	}
	rest(now_ms() - began);
	return msecs_to_jiffies(next_pause(outcome));
}

static int target_thread(void *unused)
{
	unsigned long pause;
	u64 seen;

	set_freezable();
	while (!kthread_should_stop()) {
		pause = work(&seen);
		if (pause)
			wait_event_freezable_timeout(*memplug_region_wait_queue(), has_news(seen),
						     pause);
		else
			cond_resched();
	}
	free_patience();
	return 0;
}

/**
 * memplug_target_init - start the worker
 *
 * Return: 0 or an error of kthread_run().
 */
int memplug_target_init(void)
{
	target.pause_ms = FIRST_PAUSE_MS;
	target.task = kthread_run(target_thread, NULL, "memplug-target");
	return PTR_ERR_OR_ZERO(target.task);
}

static void cancel(void)
{
	/* the books come first: see work() */
	smp_mb();
	WRITE_ONCE(target.cancelled, true);
	wake_up_all(memplug_region_wait_queue());
}

/**
 * memplug_target_exit - end the worker, after the claims that it has in flight
 *
 * Context: sleeps.
 */
void memplug_target_exit(void)
{
	WRITE_ONCE(target.ending, true);
	memplug_region_set_target(REGION_NO_TARGET);
	cancel();
	kthread_stop(target.task);
}

/**
 * memplug_target_set - set the plugged size to work toward
 * @subblocks: as many, or REGION_NO_TARGET
 *
 * Without a target nothing changes by itself once this has returned: it waits for what the
 * worker had in flight, unless a fatal signal ends that. Another target does not wait: what was
 * in flight for the earlier one counts for the new one.
 *
 * Context: sleeps.
 * Return: 0, or -ERANGE if that is more than is managed.
 */
int memplug_target_set(unsigned long subblocks)
{
	int ret = memplug_region_set_target(subblocks);

	if (ret)
		return ret;
	cancel();
	/* the worker takes it back when its request has ended */
	if (subblocks == REGION_NO_TARGET)
		wait_event_killable(*memplug_region_wait_queue(), !READ_ONCE(target.cancelled));
	return 0;
}
