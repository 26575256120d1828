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
 * requests see hotplug.under_way and wait without the lock.
 *
 * A memory block with unplugged subblocks is not let go: their contents are gone and
 * their accounting is ours.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/memory.h>
#include <linux/notifier.h>
#include <linux/rwsem.h>
#include <linux/wait.h>

#include "hotplug.h"
#include "region.h"

static struct {
	struct rw_semaphore lock;	/* see above */
	bool under_way;			/* written under lock for writing */
	wait_queue_head_t wait;		/* for under_way to become false */
} hotplug = {
	.lock = __RWSEM_INITIALIZER(hotplug.lock),
	.wait = __WAIT_QUEUE_HEAD_INITIALIZER(hotplug.wait),
};

static void update_region(struct memory_notify *memory)
{
	if (region_update(memory->start_pfn, memory->nr_pages))
		pr_warn("no kernel memory to manage the block at pfn %#lx\n", memory->start_pfn);
}

static int memory_event(struct notifier_block *nb, unsigned long event, void *data)
{
	struct memory_notify *memory = data;
	int ret = NOTIFY_OK;

	down_write(&hotplug.lock);
	switch (event) {
	case MEM_GOING_OFFLINE:
		if (region_forget(memory->start_pfn, memory->nr_pages))
			hotplug.under_way = true;
		else
			ret = notifier_from_errno(-EBUSY);
		break;
	case MEM_GOING_ONLINE:
		hotplug.under_way = true;
		break;
	case MEM_ONLINE:
	case MEM_CANCEL_OFFLINE:
		update_region(memory);
		fallthrough;
	case MEM_OFFLINE:
	case MEM_CANCEL_ONLINE:
		hotplug.under_way = false;
		break;
	}
	up_write(&hotplug.lock);
	wake_up_all(&hotplug.wait);
	return ret;
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

/** hotplug_exit - stop to follow memory hotplug; nothing may be unplugged any more */
void hotplug_exit(void)
{
	unregister_memory_notifier(&memory_notifier);
}

/**
 * hotplug_exclude - keep memory hotplug out, for looking at and claiming memory
 *
 * Return: 0 with the exclusion held until hotplug_allow(); -EAGAIN without it if memory
 * hotplug is under way: hotplug_wait() and try again.
 *
 * Context: may sleep, no longer than a notifier needs to set its flag.
 */
int hotplug_exclude(void)
{
	down_read(&hotplug.lock);
	if (!hotplug.under_way)
		return 0;
	up_read(&hotplug.lock);
	return -EAGAIN;
}

/**
 * hotplug_exclude_for_release - keep memory hotplug from beginning, for giving memory back
 *
 * Does not mind memory hotplug that is under way: it can't be that of a block with
 * unplugged subblocks, and giving back has to work when memory is short.
 *
 * Context: may sleep, no longer than a notifier needs to set its flag.
 */
void hotplug_exclude_for_release(void)
{
	down_read(&hotplug.lock);
}

/** hotplug_allow - end hotplug_exclude() or hotplug_exclude_for_release() */
void hotplug_allow(void)
{
	up_read(&hotplug.lock);
}

/**
 * hotplug_wait - wait until no memory hotplug is under way
 * @timeout: in jiffies
 *
 * Context: sleeps; a fatal signal ends it early.
 *
 * Return: whether that is so.
 */
bool hotplug_wait(unsigned long timeout)
{
	return wait_event_killable_timeout(hotplug.wait, !READ_ONCE(hotplug.under_way),
					   timeout) > 0;
}
