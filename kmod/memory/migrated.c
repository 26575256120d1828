// SPDX-License-Identifier: GPL-2.0-only
/*
 * How many pages the kernel moves while claims run. It counts them for the whole system only,
 * so what it moves while several claims run side by side is shared out evenly among these:
 * the sum is right, and so is the figure of a request that is alone, unless CPUs come and go.
 */
#include <linux/cpu.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/spinlock.h>
#include <linux/vmstat.h>

#include "memory/migrated.h"

static struct {
	spinlock_t lock;		/* protects all of it */
	struct list_head running;
	unsigned int nr_running;
	u64 counted;			/* of the kernel's count, what is shared out */
	bool stale;			/* a look was left out: @counted is too old to go by */
} migrations = {
	.lock = __SPIN_LOCK_UNLOCKED(migrations.lock),
	.running = LIST_HEAD_INIT(migrations.running),
};

/*
 * All pages that the kernel has moved so far; 0 if it does not count. A CPU that goes away has its
 * count added to another one's: that must not happen meanwhile.
 */
static u64 pages_migrated_by_all(void)
{
	u64 sum = 0;
#ifdef CONFIG_VM_EVENT_COUNTERS
	int cpu;

	for_each_possible_cpu(cpu)
		/* others count on */
		sum += data_race(per_cpu(vm_event_states, cpu).event[PGMIGRATE_SUCCESS]);
#endif
	return sum;
}

/*
 * While a CPU comes or goes nobody can tell; what is moved from the look before that to the one
 * after it is nobody's. To wait for it would be a deadlock: memory hotplug keeps CPUs from it and
 * waits for claims.
 */
static void share_out(void)
{
	struct migrated *one;
	u64 share, now;
	u32 rest;

	if (!cpus_read_trylock()) {
		migrations.stale = true;
		return;
	}
	now = pages_migrated_by_all();
	cpus_read_unlock();
	if (migrations.nr_running && !migrations.stale) {
		share = div_u64_rem(now - migrations.counted, migrations.nr_running, &rest);
		list_for_each_entry(one, &migrations.running, node) {
			one->pages += share;
			if (rest) {
				one->pages++;
				rest--;
			}
		}
	}
	migrations.counted = now;
	migrations.stale = false;
}

/**
 * memplug_migrated_begin - a claim begins
 * @migrated: the claim's; not to be touched until memplug_migrated_end()
 */
void memplug_migrated_begin(struct migrated *migrated)
{
	migrated->pages = 0;
	spin_lock(&migrations.lock);
	share_out();
	list_add(&migrated->node, &migrations.running);
	migrations.nr_running++;
	spin_unlock(&migrations.lock);
}

/**
 * memplug_migrated_end - a claim is over
 * @migrated: holds the result
 */
void memplug_migrated_end(struct migrated *migrated)
{
	spin_lock(&migrations.lock);
	share_out();
	list_del(&migrated->node);
	migrations.nr_running--;
	spin_unlock(&migrations.lock);
}
