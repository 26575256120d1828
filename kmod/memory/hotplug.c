// SPDX-License-Identifier: GPL-2.0
/*
 * The memory notifier, and the exclusion between requests and memory hotplug
 * (get_online_mems() is not exported).
 *
 * hotplug.lock is held for reading while struct pages are looked at, claimed or released,
 * one run at a time; a claim may take seconds, and memory hotplug waits that long. The
 * notifier takes it for writing at each event and drops it again: held until the last
 * event, it would be a lock order inversion with the page allocator's own locks
 * (docs/kernel.md, "Memory hotplug").
 * Between the first and the last event, which can be minutes if a page can't be moved,
 * requests see hotplug.under_way and wait without the lock. power.c keeps claims out in the
 * same way while the machine is about to hibernate.
 *
 * A memory block with unplugged subblocks may go, unless somebody holds on to one of them: the
 * kernel passes over pages that are PageOffline and have no reference. What was unplugged there
 * is wanted from then on, and target.c takes it again when the block is back. What is quarantined
 * is taken again before the event ends that brings it back: the one time that hotplug.lock is
 * held for writing over claims. Others' claims wait for the end of the event anyway.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/memory.h>
#include <linux/notifier.h>
#include <linux/ratelimit.h>
#include <linux/rwsem.h>
#include <linux/wait.h>

#include "memory/contig.h"
#include "counters.h"
#include "memory/floor.h"
#include "memory/hotplug.h"
#include "duty/quarantine.h"
#include "books/books.h"
#include "trace.h"
#include "memory/claim.h"

static struct {
	struct rw_semaphore lock;	/* see above */
	bool under_way;			/* memory hotplug is; written under lock for writing */
	bool suspended;			/* by power.c; written under lock for writing */
	wait_queue_head_t wait;		/* for both to become false */
} hotplug = {
	.lock = __RWSEM_INITIALIZER(hotplug.lock),
	.wait = __WAIT_QUEUE_HEAD_INITIALIZER(hotplug.wait),
};

static bool is_clear(void)
{
	return !READ_ONCE(hotplug.under_way) && !READ_ONCE(hotplug.suspended);
}

/* Its pages have their references: it is unplugged again. */
static void stay(unsigned long index)
{
	unsigned long pfn = subblock_pfn(index);

	/* what has got a memory error is not given back, whatever anybody wants */
	if (region_stay(index, contig_find_hwpoison(pfn, subblock_pages())))
		return;
	/* nobody wants it to be any more, since it began to leave */
	contig_release(pfn, subblock_pages());
	counters_add_release(subblock_pages());
}

/* The block does not go: takes back what was unplugged of it, up to @end. */
static void take_back(unsigned long end)
{
	unsigned long i;

	for (i = region_next_leaving(0); i < end; i = region_next_leaving(i + 1)) {
		contig_stay(subblock_pfn(i), subblock_pages());
		stay(i);
	}
}

static void update_region(struct memory_notify *memory)
{
	if (region_update(memory->start_pfn, memory->nr_pages))
		pr_warn_ratelimited("no kernel memory to manage the block at pfn %#lx\n",
				    memory->start_pfn);
}

static int let_go(struct memory_notify *memory)
{
	int ret = region_leave(memory->start_pfn, memory->nr_pages);
	unsigned long i;

	if (ret)
		return ret;
	for (i = region_next_leaving(0); i != ULONG_MAX; i = region_next_leaving(i + 1)) {
		if (!contig_leave(subblock_pfn(i), subblock_pages()))
			continue;
		/* this one still has its references, and so has all that follows */
		update_region(memory);
		take_back(i);
		for (; i != ULONG_MAX; i = region_next_leaving(i + 1))
			stay(i);
		return -EBUSY;
	}
	return 0;
}

/*
 * The block has gone. Up to 6.1 the kernel forgets which of its pages had memory errors, and has
 * them used when it comes back: what memplug held of them is to be kept out then.
 */
static void forget(struct memory_notify *memory)
{
	unsigned long i;

	for (i = region_next_leaving(0); i != ULONG_MAX; i = region_next_leaving(i + 1)) {
		if (!contig_gone(subblock_pfn(i), subblock_pages()))
			continue;
		quarantine_gone(i);
		pr_warn_ratelimited("%#llx: has a memory error, and is in quarantine if it comes back\n",
				    subblock_address(i));
	}
	region_gone(memory->start_pfn, memory->nr_pages);
}

static void retake(unsigned long index)
{
	int nid = region_node(index);
	struct floor_share share = { .nr_pages = subblock_pages(), .nr_free = subblock_pages() };
	struct claim claim = {
		.run = { .first = index, .nr = 1 },
		.mover = REGION_OWN,
		.only_wanted = true,
	};

	/* not into the image of a machine that is about to hibernate: it stays wanted */
	if (hotplug.suspended || floor_reserve(nid, share) != FLOOR_OK)
		return;
	if (region_reserve(claim.run, REGION_UNPLUG) && worker_claim(&claim))
		region_abort(claim.run);
	floor_unreserve(nid, share);
}

/*
 * Bad memory is back, and free but for what was allocated a moment ago: takes it before it is used.
 * What can't be had now is wanted, as anything else.
 */
static void retake_quarantined(struct memory_notify *memory)
{
	unsigned long end = (memory->start_pfn + memory->nr_pages) >> region_subblock_order;
	unsigned long i = memory->start_pfn >> region_subblock_order;

	for (i = region_next_to_retake(i); i < end; i = region_next_to_retake(i + 1))
		retake(i);
}

/* Memory that is wanted, and comes back where it can't be had, would be waited for in vain. */
static void tell_of_other_zone(struct memory_notify *memory)
{
	unsigned long i = region_next_absent(memory->start_pfn >> region_subblock_order);

	if (i != ULONG_MAX && subblock_pfn(i) < memory->start_pfn + memory->nr_pages)
		pr_warn_ratelimited("%#llx: was unplugged and is back in another zone than ZONE_NORMAL, where nothing is taken\n",
				    subblock_address(i));
}

static int memory_event(struct notifier_block *nb, unsigned long event, void *data)
{
	struct memory_notify *memory = data;
	int ret = 0;

	down_write(&hotplug.lock);
	switch (event) {
	case MEM_GOING_OFFLINE:
		hotplug.under_way = true;
		ret = let_go(memory);
		if (ret)
			hotplug.under_way = false;
		break;
	case MEM_GOING_ONLINE:
		hotplug.under_way = true;
		break;
	case MEM_ONLINE:
		update_region(memory);
		tell_of_other_zone(memory);
		retake_quarantined(memory);
		hotplug.under_way = false;
		break;
	case MEM_OFFLINE:
	case MEM_CANCEL_ONLINE:
		/* also if the module was loaded between the first event and this one */
		forget(memory);
		hotplug.under_way = false;
		break;
	case MEM_CANCEL_OFFLINE:
		/* also if another notifier, or this one, has refused to let it go */
		update_region(memory);
		take_back(ULONG_MAX);
		hotplug.under_way = false;
		break;
	}
	up_write(&hotplug.lock);
	wake_up_all(&hotplug.wait);
	trace_memplug_hotplug(event, memory->start_pfn, memory->nr_pages, ret);
	return notifier_from_errno(ret);
}

static struct notifier_block memory_notifier = {
	.notifier_call = memory_event,
};

/**
 * hotplug_init - start to follow memory hotplug
 *
 * Return: 0 or an error of the notifier chain.
 */
int hotplug_init(void)
{
	return register_memory_notifier(&memory_notifier);
}

/** hotplug_exit - stop to follow memory hotplug; nothing is unplugged or leaving any more */
void hotplug_exit(void)
{
	unregister_memory_notifier(&memory_notifier);
}

/**
 * hotplug_exclude - keep memory hotplug out, for looking at and claiming memory
 *
 * Return: 0 with the exclusion held until hotplug_allow(); -EAGAIN without it if memory
 * hotplug is under way, or claims are suspended: hotplug_wait() and try again.
 *
 * Context: may sleep, no longer than a notifier needs to set its flag.
 */
int hotplug_exclude(void)
{
	down_read(&hotplug.lock);
	if (is_clear())
		return 0;
	up_read(&hotplug.lock);
	return -EAGAIN;
}

/**
 * hotplug_exclude_events - keep memory hotplug's next event out
 *
 * For giving memory back, and for judging what is not managed. Does not mind memory hotplug that is
 * under way: what is unplugged is not of a block that is about to go, giving back has to work when
 * memory is short, and struct pages stay where they are until the last event has been seen. Zones
 * may change meanwhile, and lose what they keep for each CPU.
 *
 * Context: may sleep, no longer than a notifier needs to set its flag.
 */
void hotplug_exclude_events(void)
{
	down_read(&hotplug.lock);
}

/**
 * hotplug_try_exclude_events - the same where nothing may sleep
 *
 * Return: whether it is held.
 */
bool hotplug_try_exclude_events(void)
{
	return down_read_trylock(&hotplug.lock);
}

/** hotplug_allow - end hotplug_exclude() or hotplug_exclude_events() */
void hotplug_allow(void)
{
	up_read(&hotplug.lock);
}

#ifdef CONFIG_LOCKDEP
/** hotplug_assert_excluded - struct pages or zones are read: a debug kernel warns if they may go */
void hotplug_assert_excluded(void)
{
	lockdep_assert_held(&hotplug.lock);
}
#endif

/**
 * hotplug_wait - wait until hotplug_exclude() is worth trying again
 * @timeout: in jiffies
 *
 * Context: sleeps; a fatal signal ends it early.
 *
 * Return: whether that is so.
 */
bool hotplug_wait(unsigned long timeout)
{
	return wait_event_killable_timeout(hotplug.wait, is_clear(), timeout) > 0;
}

/**
 * hotplug_is_under_way - is a memory block between its first event and its last
 *
 * Context: under the exclusion for releases, that it is not holds until the end of that.
 */
bool hotplug_is_under_way(void)
{
	return READ_ONCE(hotplug.under_way);
}

/**
 * hotplug_is_waiting - is an event, or a suspend, held up by who keeps it out
 *
 * Context: under hotplug_exclude().
 */
bool hotplug_is_waiting(void)
{
	return rwsem_is_contended(&hotplug.lock);
}

/**
 * hotplug_wait_for_end - wait until no memory hotplug is under way, however long it takes
 *
 * For the end of the module: what is leaving has to be gone, or be back, before it goes. The next
 * may be under way already when this returns.
 */
void hotplug_wait_for_end(void)
{
	wait_event(hotplug.wait, !READ_ONCE(hotplug.under_way));
}

/**
 * hotplug_suspend_claims - let no claim run until hotplug_resume_claims()
 *
 * Context: sleeps until the claims that run have ended.
 *
 * Return: false, with nothing changed, if memory hotplug is under way: it may bring back what is
 * leaving.
 */
bool hotplug_suspend_claims(void)
{
	bool clear;

	down_write(&hotplug.lock);
	clear = !hotplug.under_way;
	if (clear)
		hotplug.suspended = true;
	up_write(&hotplug.lock);
	return clear;
}

/** hotplug_resume_claims - end hotplug_suspend_claims() */
void hotplug_resume_claims(void)
{
	down_write(&hotplug.lock);
	hotplug.suspended = false;
	up_write(&hotplug.lock);
	wake_up_all(&hotplug.wait);
}
