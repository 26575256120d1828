// SPDX-License-Identifier: GPL-2.0-only
/*
 * Has a PCI function reset over and over, as a driver has it that does not wait, such as vfio-pci:
 * pci_try_reset_function() tries the function's device lock, and gives EAGAIN if somebody has it.
 * Everybody else who has that lock keeps it for a millisecond longer, so that it is noticed.
 * Loading ends when the seconds are over. The counts are there until unloading.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/device.h>
#include <linux/jiffies.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/pci.h>
#include <linux/sched.h>

static char *function;
module_param(function, charp, 0444);
MODULE_PARM_DESC(function, "the PCI function, such as 0000:01:00.0");

static unsigned int seconds = 1;
module_param(seconds, uint, 0444);
MODULE_PARM_DESC(seconds, "for how long");

static unsigned int resets;
module_param(resets, uint, 0444);
MODULE_PARM_DESC(resets, "how often the function was reset");

static unsigned int refused;
module_param(refused, uint, 0444);
MODULE_PARM_DESC(refused, "how often a reset ended with EAGAIN");

static unsigned int own_unlocks;
module_param(own_unlocks, uint, 0444);
MODULE_PARM_DESC(own_unlocks, "how often the lock was seen to be given back after a reset");

static struct device *device;
static struct task_struct *resetter;

static int unlock_slowly(struct kprobe *probe, struct pt_regs *regs)
{
	if (regs_get_kernel_argument(regs, 0) != (unsigned long)&device->mutex)
		return 0;
	if (current == resetter)
		own_unlocks++;
	else
		mdelay(1);
	return 0;
}

static struct kprobe unlock_probe = {
	.symbol_name = "mutex_unlock",
	.pre_handler = unlock_slowly,
};

static int reset_until(unsigned long end)
{
	while (time_before(jiffies, end)) {
		int ret = pci_try_reset_function(to_pci_dev(device));

		if (!ret)
			resets++;
		else if (ret == -EAGAIN)
			refused++;
		else
			return ret;
		cond_resched();
	}
	return 0;
}

static int __init resets_init(void)
{
	int ret;

	device = function ? bus_find_device_by_name(&pci_bus_type, NULL, function) : NULL;
	if (!device)
		return -ENODEV;
	resetter = current;
	ret = register_kprobe(&unlock_probe);
	if (!ret) {
		ret = reset_until(jiffies + seconds * HZ);
		unregister_kprobe(&unlock_probe);
	}
	put_device(device);
	return ret;
}

static void __exit resets_exit(void)
{
}

module_init(resets_init);
module_exit(resets_exit);

MODULE_DESCRIPTION("Resets of a PCI function that do not wait, for tests");
MODULE_LICENSE("GPL");
