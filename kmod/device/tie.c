// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ranges that are tied to a descriptor: they are given back when the last copy of it has been
 * closed, however its processes ended, and the last mapping of them is gone. While a descriptor or
 * a mapping is there, so is a reference to the module.
 */
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "compat.h"
#include "device/tie.h"
#include "request/release.h"

/* Gives back what is tied to descriptors that are gone, but for what is mapped. */
static void give_back(void)
{
	struct region_owner *owner;

	while ((owner = memplug_region_take_closed())) {
		memplug_release_tied(owner);
		if (!memplug_region_put_closed(owner))
			continue;
		put_pid(owner->opener);
		kfree(owner);
	}
}

static void give_back_work(struct work_struct *work)
{
	give_back();
}

static DECLARE_WORK(unmapped_work, give_back_work);

/**
 * memplug_tie_open - a descriptor is about to have ranges tied to it
 * @opener: the process that has opened it
 * @owner: result
 *
 * Return: 0, -ENOMEM, or -EUSERS if there are REGION_MAX_DESCRIPTORS such.
 */
int memplug_tie_open(struct pid *opener, struct region_owner **owner)
{
	struct region_owner *fresh = kzalloc(sizeof(*fresh), GFP_KERNEL);
	int ret;

	if (!fresh)
		return -ENOMEM;
	/* who lists ranges may ask for it as soon as the books have it */
	fresh->opener = get_pid(opener);
	ret = memplug_region_enter_owner(fresh);
	if (ret) {
		put_pid(fresh->opener);
		kfree(fresh);
		return ret;
	}
	*owner = fresh;
	return 0;
}

/**
 * memplug_tie_close - the descriptor is gone
 * @owner: of memplug_tie_open(), or NULL; not the caller's any more
 *
 * Context: sleeps until what is tied to it and not mapped has been given back.
 */
void memplug_tie_close(struct region_owner *owner)
{
	if (!owner)
		return;
	memplug_region_close_owner(owner);
	give_back();
}

/**
 * memplug_tie_unmapped - a mapping is gone, which may have been the last of something that is tied
 *
 * Context: does not sleep: the caller holds its mmap_lock. What there is to give back is given
 * back a moment later.
 */
void memplug_tie_unmapped(void)
{
	queue_work(compat_unbound_queue, &unmapped_work);
}

/** memplug_tie_exit - wait for the last of it; there are no descriptors and no mappings any more */
void memplug_tie_exit(void)
{
	flush_work(&unmapped_work);
}
