// SPDX-License-Identifier: GPL-2.0-only
/*
 * Leaves crumbs of the kernel's: allocates so many MiB of small objects and frees them again, but
 * for those in every 97th page frame. What is left are slabs of one page, about ten in 4 MiB that
 * are free otherwise, until the module is unloaded.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/mm.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/sched.h>
#include <linux/slab.h>

static unsigned int mib = 384;
module_param(mib, uint, 0444);
MODULE_PARM_DESC(mib, "size of all objects together, in MiB");

#define STEP 97		/* page frames; no divisor of what the page allocator hands out at once */

/* As small as has slabs of one page. */
struct crumb {
	struct crumb *next;
	char rest[256 - sizeof(void *)];
};

static struct kmem_cache *cache;
static struct crumb *kept;
static unsigned long nr_kept;

static void free_all(struct crumb *crumb)
{
	while (crumb) {
		struct crumb *next = crumb->next;

		kmem_cache_free(cache, crumb);
		crumb = next;
		cond_resched();
	}
}

static int __init crumbs_init(void)
{
	unsigned long nr = ((unsigned long)mib << 20) / sizeof(struct crumb);
	struct crumb *others = NULL;

	cache = kmem_cache_create("memplug_crumbs", sizeof(struct crumb), 0, 0, NULL);
	if (!cache)
		return -ENOMEM;
	while (nr--) {
		struct crumb *crumb = kmem_cache_alloc(cache, GFP_KERNEL);
		struct crumb **list;

		if (!crumb) {
			free_all(kept);
			free_all(others);
			kmem_cache_destroy(cache);
			return -ENOMEM;
		}
		list = page_to_pfn(virt_to_page(crumb)) % STEP ? &others : &kept;
		nr_kept += list == &kept;
		crumb->next = *list;
		*list = crumb;
		cond_resched();
	}
	free_all(others);
	kmem_cache_shrink(cache);
	pr_info("%lu objects are left\n", nr_kept);
	return 0;
}

static void __exit crumbs_exit(void)
{
	free_all(kept);
	kmem_cache_destroy(cache);
}

module_init(crumbs_init);
module_exit(crumbs_exit);

MODULE_DESCRIPTION("Slabs of one page all over memory, for tests");
MODULE_LICENSE("GPL");
