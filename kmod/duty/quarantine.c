// SPDX-License-Identifier: GPL-2.0-only
/*
 * Keeps the module loaded as long as something is in quarantine: unloading it would give all of it
 * back.
 */
#include <linux/module.h>
#include <linux/mutex.h>

#include "books/books.h"
#include "duty/quarantine.h"

static struct {
	struct mutex lock;	/* protects holds_module, and its being right */
	bool holds_module;
} quarantine = {
	.lock = __MUTEX_INITIALIZER(quarantine.lock),
};

/**
 * memplug_quarantine_change - begin or end to keep memory out as bad
 * @run: subblocks
 * @quarantined: begin
 *
 * Context: sleeps; of an open descriptor, or of a thread that ends before the module does.
 *
 * Return: how many subblocks were not so before.
 */
unsigned long memplug_quarantine_change(struct subblock_run run, bool quarantined)
{
	unsigned long changed;
	bool any;

	mutex_lock(&quarantine.lock);
	changed = memplug_region_quarantine(run, quarantined);
	any = memplug_region_any_quarantined();
	if (any && !quarantine.holds_module)
		__module_get(THIS_MODULE);
	else if (!any && quarantine.holds_module)
		module_put(THIS_MODULE);
	quarantine.holds_module = any;
	mutex_unlock(&quarantine.lock);
	return changed;
}

/**
 * memplug_quarantine_gone - memory that has gone offline had an error: it is bad if it comes back
 * @index: subblock that was leaving
 *
 * Not if the module is being unloaded: it will keep nothing out.
 *
 * Context: sleeps; of a memory notifier.
 */
void memplug_quarantine_gone(unsigned long index)
{
	struct subblock_run one = { .first = index, .nr = 1 };

	if (!try_module_get(THIS_MODULE))
		return;
	memplug_quarantine_change(one, true);
	module_put(THIS_MODULE);
}
