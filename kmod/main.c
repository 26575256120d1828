// SPDX-License-Identifier: GPL-2.0-only
/*
 * memplug: takes memory out of a running Linux and puts it back, in big aligned physical
 * ranges of the zones it is told to. Parameters, and init and exit in order: the books first, the
 * device node last; exit undoes it in reverse.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/crash_dump.h>
#include <linux/log2.h>
#include <linux/memory.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/sched/signal.h>

#include "books/books.h"
#include "compat.h"
#include "device/chardev.h"
#include "device/mapping.h"
#include "device/tie.h"
#include "duty/memory_block.h"
#include "duty/oom.h"
#include "duty/power.h"
#include "duty/target.h"
#include "machine/hotplug.h"
#include "machine/ram.h"
#include "memory/claim.h"
#include "memory/floor.h"
#include "parameter.h"
#include "pause.h"
#include "request/release.h"
#include "request/unplug.h"
#include "subblock.h"

static char *subblock_size;
module_param(subblock_size, charp, 0444);
MODULE_PARM_DESC(subblock_size,
		 "unit of plugging in bytes (K, M, G): a power of two, at most a memory block");

static unsigned int workers;
module_param(workers, uint, 0444);
MODULE_PARM_DESC(workers,
		 "claims at a time, at most 16; 0: as many as there are CPUs, at most 4 (default)");

static char *order;
module_param(order, charp, 0444);
MODULE_PARM_DESC(order,
		 "which memory an unplug takes first: cheapest (default), or address: the highest, whatever is in it");

module_param_cb(floor, &memplug_floor_param_ops, NULL, 0644);
MODULE_PARM_DESC(floor,
		 "available memory that an unplug leaves, in bytes (K, M, G); 0: none; default: by size of memory");

static char *target;
module_param(target, charp, 0444);
MODULE_PARM_DESC(target,
		 "plugged size to work toward from loading on, in bytes (K, M, G); default: none");

module_param_named(oom_give_back, memplug_oom_gives_back, bool, 0644);
MODULE_PARM_DESC(oom_give_back,
		 "give unplugged memory back before the kernel kills a process for lack of it (default: no)");

static char *zones;
module_param(zones, charp, 0444);
MODULE_PARM_DESC(zones,
		 "zones whose memory is managed: normal (default), or normal,dma32: ZONE_DMA32 as well");

module_param_cb(low_reserve, &memplug_floor_low_reserve_param_ops, NULL, 0644);
MODULE_PARM_DESC(low_reserve,
		 "what a zone below ZONE_NORMAL keeps at least, free or in use, in bytes (K, M, G); a quarter of it, if that is more; default: 256M");

module_param_named(driver_managed, memplug_ram_driver_managed, bool, 0444);
MODULE_PARM_DESC(driver_managed,
		 "also manage memory that another driver added (virtio-mem, dax-kmem) and may remove (default: no)");

/* Returns 0 for what is not to be used. */
static unsigned long parse_subblock_size(void)
{
	unsigned long smallest = COMPAT_GRANULARITY_PAGES * PAGE_SIZE;
	unsigned long largest = memory_block_size_bytes();
	u64 bytes;

	if (!subblock_size)
		return min(max(smallest, MAX_ORDER_NR_PAGES * PAGE_SIZE), largest);
	if (!memplug_parameter_bytes(subblock_size, &bytes) && bytes >= smallest &&
	    bytes <= largest && is_power_of_2(bytes))
		return bytes;
	pr_err("subblock_size=%s: has to be a power of two from %luM to %luM\n", subblock_size,
	       smallest >> 20, largest >> 20);
	return 0;
}

static bool are_workers_valid(void)
{
	if (workers <= WORKER_MAX)
		return true;
	pr_err("workers=%u: has to be from 0 to %u\n", workers, WORKER_MAX);
	return false;
}

/*
 * ZONE_DMA is 16 MiB of x86, for devices that are hardly there any more; elsewhere it may be most
 * of memory, under the name of what has 32 bits.
 */
static bool parse_zones(void)
{
	if (!zones || !strcmp(zones, "normal"))
		return true;
	if (strcmp(zones, "normal,dma32")) {
		pr_err("zones=%s: has to be normal or normal,dma32\n", zones);
		return false;
	}
#ifdef CONFIG_ZONE_DMA32
	memplug_ram_zones |= BIT(ZONE_DMA32);
#endif
#if defined(CONFIG_ZONE_DMA) && !defined(CONFIG_X86)
	memplug_ram_zones |= BIT(ZONE_DMA);
#endif
	return true;
}

static bool parse_order(void)
{
	memplug_unplug_by_address = order && !strcmp(order, "address");
	if (!order || memplug_unplug_by_address || !strcmp(order, "cheapest"))
		return true;
	pr_err("order=%s: has to be cheapest or address\n", order);
	return false;
}

/*
 * Sets @subblocks to what is to be worked toward. They have their size by now, which may be another
 * than when the target was saved: no reason to leave a machine without the module.
 */
static bool parse_target(unsigned long *subblocks)
{
	u64 bytes;

	*subblocks = REGION_NO_TARGET;
	if (!target || !strcmp(target, "none"))
		return true;
	if (memplug_parameter_bytes(target, &bytes)) {
		pr_err("target=%s: has to be none or a size\n", target);
		return false;
	}
	*subblocks = bytes / subblock_bytes();
	/* not beyond what can be told in bytes; it is more than is managed anyway */
	if (bytes % subblock_bytes() && *subblocks < U64_MAX / subblock_bytes()) {
		++*subblocks;
		pr_warn("target=%s: whole subblocks are %llu MiB\n", target,
			*subblocks * subblock_bytes() >> 20);
	}
	return true;
}

/* It begins at once, and nothing may fail after it. Who has less memory than yesterday keeps it. */
static void begin_target(unsigned long subblocks)
{
	if (subblocks != REGION_NO_TARGET && memplug_target_set(subblocks))
		pr_warn("target=%s: more than is managed, so all stays plugged\n", target);
}

/* Memory must not come or go while it is looked at for the first time. */
static int __init find_memory(void)
{
	int ret;

	while (memplug_hotplug_exclude())
		if (!memplug_hotplug_wait(HZ) && fatal_signal_pending(current))
			return -EINTR;
	ret = memplug_region_init();
	memplug_hotplug_allow();
	return ret;
}

static int __init memplug_init(void)
{
	unsigned long size = parse_subblock_size();
	struct region_sizes sizes;
	unsigned long plugged;
	int ret;

	if (!size || !are_workers_valid() || !parse_order() || !parse_zones())
		return -EINVAL;
	if (is_kdump_kernel()) {
		pr_err("not for a crash kernel, which needs what little memory it has\n");
		return -ENODEV;
	}
	memplug_subblock_order = ilog2(size) - PAGE_SHIFT;
	if (!parse_target(&plugged))
		return -EINVAL;
	memplug_region_claims_are_zeroed = COMPAT_CLAIMS_ARE_ZEROED && want_init_on_alloc(0);
	memplug_floor_init();
	memplug_mapping_init();
	ret = memplug_claim_init(workers);
	if (ret)
		return ret;
	/* before the first look at memory, so that no change is missed */
	ret = memplug_hotplug_init(&memplug_memory_block_events);
	if (ret)
		goto err_worker;
	memplug_pause_at("following");
	ret = find_memory();
	if (ret)
		goto err_hotplug;
	ret = memplug_target_init();
	if (ret)
		goto err_hotplug;
	ret = memplug_oom_init();
	if (ret)
		goto err_target;
	ret = memplug_power_init();
	if (ret)
		goto err_pressure;
	ret = memplug_chardev_init();
	if (ret)
		goto err_power;

	memplug_region_sizes(&sizes);
	pr_info("%llu MiB managed in subblocks of %lu MiB\n",
		sizes.managed * subblock_bytes() >> 20, size >> 20);
	begin_target(plugged);
	return 0;

err_power:
	memplug_power_exit();
err_pressure:
	memplug_oom_exit();
err_target:
	memplug_target_exit();
err_hotplug:
	memplug_hotplug_exit();
	/* after the notifier: a failed look may have left some of it */
	memplug_region_exit();
err_worker:
	memplug_claim_exit();
	return ret;
}

static void __exit memplug_exit(void)
{
	memplug_chardev_exit();
	memplug_pause_at("closed");
	memplug_tie_exit();
	memplug_target_exit();
	memplug_release_everything();
	memplug_power_exit();
	memplug_oom_exit();
	memplug_hotplug_exit();
	memplug_region_exit();
	memplug_claim_exit();
}

module_init(memplug_init);
module_exit(memplug_exit);

MODULE_AUTHOR("The memplug authors");
MODULE_DESCRIPTION("Take memory out of a running Linux and put it back");
MODULE_LICENSE("GPL");
MODULE_VERSION(MEMPLUG_VERSION);
