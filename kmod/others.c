// SPDX-License-Identifier: GPL-2.0
/*
 * Other drivers that take memory out of this machine. Their devices hang below a PCI function
 * (virtio) or a device of the platform (virtio over MMIO), or below what that is to ACPI
 * (Hyper-V's bus), whatever their own bus is; Xen's balloon is there whenever Xen is.
 */
#include <linux/acpi.h>
#include <linux/device.h>
#include <linux/kernel.h>
#include <linux/pci.h>
#include <linux/platform_device.h>
#include <linux/string.h>
#include <xen/xen.h>

#include "others.h"
#include "uapi/memplug.h"

static const struct {
	const char *driver;
	u32 flag;
} balloons[] = {
	{ "virtio_mem", MEMPLUG_OTHER_VIRTIO_MEM },
	{ "virtio_balloon", MEMPLUG_OTHER_VIRTIO_BALLOON },
	{ "hv_balloon", MEMPLUG_OTHER_HV_BALLOON },
};

static int look_at_device(struct device *device, void *found)
{
	u32 *flags = found;
	unsigned int i;

	/* who is being bound or unbound holds it, for seconds perhaps: it is not at work then */
	if (!device_trylock(device))
		return 0;
	for (i = 0; device->driver && i < ARRAY_SIZE(balloons); i++)
		if (!strcmp(device->driver->name, balloons[i].driver))
			*flags |= balloons[i].flag;
	device_unlock(device);
	return 0;
}

static int look_below(struct device *device, void *found)
{
	struct acpi_device *companion = ACPI_COMPANION(device);

	if (companion)
		device_for_each_child(&companion->dev, found, look_at_device);
	return device_for_each_child(device, found, look_at_device);
}

/**
 * others_at_work - which other drivers move memory on this machine
 *
 * Context: may sleep, not for long.
 *
 * Return: MEMPLUG_OTHER_*.
 */
u32 others_at_work(void)
{
	u32 flags = 0;

#ifdef CONFIG_PCI
	bus_for_each_dev(&pci_bus_type, NULL, &flags, look_below);
#endif
	bus_for_each_dev(&platform_bus_type, NULL, &flags, look_below);
	if (IS_ENABLED(CONFIG_XEN_BALLOON) && xen_domain())
		flags |= MEMPLUG_OTHER_XEN_BALLOON;
	return flags;
}
