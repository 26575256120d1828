// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory notifier, and the exclusion between requests and memory hotplug
 * (get_online_mems() is not exported). What becomes of a memory block at its events is
 * duty/memory_block.c's.
 *
 * hotplug.lock is held for reading while struct pages are looked at, claimed or released,
 * one run at a time; a claim may take seconds, and memory hotplug waits that long. The
 * notifier takes it for writing at each event and drops it again: held until the last
 * event, it would be a lock order inversion with the page allocator's own locks
 * (docs/kernel.md, "Memory hotplug").
 * Between the first and the last event, which can be minutes if a page can't be moved,
 * requests see hotplug.under_way and wait without the lock. power.c keeps claims out in the
 * same way while the machine is about to hibernate.
 */
#include <linux/memory.h>
#include <linux/notifier.h>
#include <linux/rwsem.h>
#include <linux/wait.h>

#include "machine/hotplug.h"
#include "pause.h"
#include "trace.h"

static struct {
	struct rw_semaphore lock;	/* see above */
	bool under_way;			/* memory hotplug is; written under lock for writing */
	bool suspended;			/* by power.c; written under lock for writing */
	wait_queue_head_t wait;		/* for both to become false */
	const struct hotplug_events *events;	/* before the notifier is registered */
} hotplug = {
	.lock = __RWSEM_INITIALIZER(hotplug.lock),
	.wait = __WAIT_QUEUE_HEAD_INITIALIZER(hotplug.wait),
};

static bool is_clear(void)
{
	return !READ_ONCE(hotplug.under_way) && !READ_ONCE(hotplug.suspended);
}

static int memory_event(struct notifier_block *nb, unsigned long event, void *data)
{
	struct memory_notify *memory = data;
	int ret = 0;

	down_write(&hotplug.lock);
	switch (event) {
	case MEM_GOING_OFFLINE:
		hotplug.under_way = true;
		ret = hotplug.events->leave(memory);
		if (ret)
			hotplug.under_way = false;
		break;
	case MEM_GOING_ONLINE:
		hotplug.under_way = true;
		break;
	case MEM_ONLINE:
		hotplug.events->arrived(memory);
		hotplug.under_way = false;
		break;
	case MEM_OFFLINE:
	case MEM_CANCEL_ONLINE:
		/* also if the module was loaded between the first event and this one */
		hotplug.events->gone(memory);
		hotplug.under_way = false;
		break;
	case MEM_CANCEL_OFFLINE:
		/* also if another notifier, or this one, has refused to let it go */
		hotplug.events->stays(memory);
		hotplug.under_way = false;
		break;
	}
	up_write(&hotplug.lock);
	wake_up_all(&hotplug.wait);
	if (event == MEM_GOING_OFFLINE && !ret)
		memplug_pause_at("leaving");
	trace_memplug_hotplug(event, memory->start_pfn, memory->nr_pages, ret);
	return notifier_from_errno(ret);
}

static struct notifier_block memory_notifier = {
	.notifier_call = memory_event,
};

/**
 * memplug_hotplug_init - start to follow memory hotplug
 * @events: what to do when
 *
 * Return: 0 or an error of the notifier chain.
 */
int memplug_hotplug_init(const struct hotplug_events *events)
{
	hotplug.events = events;
	return register_memory_notifier(&memory_notifier);
}

/** memplug_hotplug_exit - stop to follow memory hotplug; nothing is unplugged or leaving */
void memplug_hotplug_exit(void)
{
	unregister_memory_notifier(&memory_notifier);
}

/**
 * memplug_hotplug_exclude - keep memory hotplug out, for looking at and claiming memory
 *
 * Return: 0 with the exclusion held until memplug_hotplug_allow(); -EAGAIN without it if memory
 * hotplug is under way, or claims are suspended: memplug_hotplug_wait() and try again.
 *
 * Context: may sleep, no longer than a notifier needs to set its flag.
 */
int memplug_hotplug_exclude(void)
{
	down_read(&hotplug.lock);
	if (is_clear())
		return 0;
	up_read(&hotplug.lock);
	return -EAGAIN;
}

/**
 * memplug_hotplug_exclude_events - keep memory hotplug's next event out
 *
 * For giving memory back, and for judging what is not managed. Does not mind memory hotplug that is
 * under way: what is unplugged is not of a block that is about to go, giving back has to work when
 * memory is short, and struct pages stay where they are until the last event has been seen. Zones
 * may change meanwhile, and lose what they keep for each CPU.
 *
 * Context: may sleep, no longer than a notifier needs to set its flag.
 */
void memplug_hotplug_exclude_events(void)
{
	down_read(&hotplug.lock);
}

/**
 * memplug_hotplug_try_exclude_events - the same where nothing may sleep
 *
 * Return: whether it is held.
 */
bool memplug_hotplug_try_exclude_events(void)
{
	return down_read_trylock(&hotplug.lock);
}

/** memplug_hotplug_allow - end memplug_hotplug_exclude() or memplug_hotplug_exclude_events() */
void memplug_hotplug_allow(void)
{
	up_read(&hotplug.lock);
}

#ifdef CONFIG_LOCKDEP
/**
 * memplug_hotplug_assert_excluded - struct pages or zones are read
 *
 * A debug kernel warns if they may go meanwhile.
 */
void memplug_hotplug_assert_excluded(void)
{
	lockdep_assert_held(&hotplug.lock);
}
#endif

/**
 * memplug_hotplug_wait - wait until memplug_hotplug_exclude() is worth trying again
 * @timeout: in jiffies
 *
 * Context: sleeps; a fatal signal ends it early.
 *
 * Return: whether that is so.
 */
bool memplug_hotplug_wait(unsigned long timeout)
{
	return wait_event_killable_timeout(hotplug.wait, is_clear(), timeout) > 0;
}

/**
 * memplug_hotplug_is_under_way - is a memory block between its first event and its last
 *
 * Context: under the exclusion for releases, that it is not holds until the end of that.
 */
bool memplug_hotplug_is_under_way(void)
{
	return READ_ONCE(hotplug.under_way);
}

/**
 * memplug_hotplug_is_suspended - may no claim run, as the machine is about to hibernate
 *
 * Context: of an event.
 */
bool memplug_hotplug_is_suspended(void)
{
	return hotplug.suspended;
}

/**
 * memplug_hotplug_is_waiting - is an event, or a suspend, held up by who keeps it out
 *
 * Context: under memplug_hotplug_exclude().
 */
bool memplug_hotplug_is_waiting(void)
{
	return rwsem_is_contended(&hotplug.lock);
}

/**
 * memplug_hotplug_wait_for_end - wait until no memory hotplug is under way, however long it takes
 *
 * For the end of the module: what is leaving has to be gone, or be back, before it goes. The next
 * may be under way already when this returns.
 */
void memplug_hotplug_wait_for_end(void)
{
	wait_event(hotplug.wait, !READ_ONCE(hotplug.under_way));
}

/**
 * memplug_hotplug_suspend_claims - let no claim run until memplug_hotplug_resume_claims()
 *
 * Context: sleeps until the claims that run have ended.
 *
 * Return: false, with nothing changed, if memory hotplug is under way: it may bring back what is
 * leaving.
 */
bool memplug_hotplug_suspend_claims(void)
{
	bool clear;

	down_write(&hotplug.lock);
	clear = !hotplug.under_way;
	if (clear)
		hotplug.suspended = true;
	up_write(&hotplug.lock);
	return clear;
}

/** memplug_hotplug_resume_claims - end memplug_hotplug_suspend_claims() */
void memplug_hotplug_resume_claims(void)
{
	down_write(&hotplug.lock);
	hotplug.suspended = false;
	up_write(&hotplug.lock);
	wake_up_all(&hotplug.wait);
}
