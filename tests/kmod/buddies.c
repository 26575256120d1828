// SPDX-License-Identifier: GPL-2.0-only
/*
 * Takes memory out as simply as can be, for the benchmark: blocks of one order from the buddy
 * allocator, by as many threads as there are CPUs, until the size is there. That is the limit of
 * any driver on this allocator where memory is free; it gets nothing that is not. out=BYTES: so
 * much is to be out when the write returns; ENOSPC: there is no more. Nothing here is careful with
 * the machine.
 */
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

static unsigned int order = 10;
module_param(order, uint, 0444);
MODULE_PARM_DESC(order, "of the blocks");

static unsigned int threads;
module_param(threads, uint, 0444);
MODULE_PARM_DESC(threads, "how many take blocks at the same time; 0: one for each CPU");

struct taker {
	struct work_struct work;
	struct page **blocks;
	unsigned long nr, wanted;
};

static struct workqueue_struct *queue;
static struct taker *takers;
static unsigned long most;	/* blocks of a taker */

static void give_back(struct taker *taker)
{
	while (taker->nr > taker->wanted) {
		struct page *page = taker->blocks[--taker->nr];

		__free_pages(page, order);
		adjust_managed_page_count(page, 1L << order);
		cond_resched();
	}
}

/* As virtio_balloon asks for its pages. */
static void take(struct work_struct *work)
{
	struct taker *taker = container_of(work, struct taker, work);

	while (taker->nr < taker->wanted) {
		struct page *page = alloc_pages(GFP_HIGHUSER_MOVABLE | __GFP_NOMEMALLOC |
						__GFP_NORETRY | __GFP_NOWARN, order);

		if (!page)
			break;
		taker->blocks[taker->nr++] = page;
		adjust_managed_page_count(page, -(1L << order));
		cond_resched();
	}
}

static int out_set(const char *text, const struct kernel_param *kp)
{
	unsigned long long bytes;
	unsigned long blocks;
	unsigned int i;
	int ret = kstrtoull(text, 0, &bytes);

	if (ret)
		return ret;
	if (!takers)
		return -EAGAIN;
	blocks = bytes >> (PAGE_SHIFT + order);
	if (DIV_ROUND_UP(blocks, threads) > most)
		return -E2BIG;
	for (i = 0; i < threads; i++) {
		takers[i].wanted = blocks / threads + (i < blocks % threads);
		give_back(&takers[i]);
		queue_work(queue, &takers[i].work);
	}
	flush_workqueue(queue);
	for (i = 0; i < threads; i++) {
		if (takers[i].nr < takers[i].wanted)
			return -ENOSPC;
	}
	return 0;
}

static const struct kernel_param_ops out_ops = {
	.set = out_set,
};
module_param_cb(out, &out_ops, NULL, 0200);
MODULE_PARM_DESC(out, "bytes that are to be out");

static void free_takers(void)
{
	unsigned int i;

	for (i = 0; takers && i < threads; i++)
		kvfree(takers[i].blocks);
	kfree(takers);
	if (queue)
		destroy_workqueue(queue);
}

static int __init buddies_init(void)
{
	struct taker *all;
	unsigned int i;

	threads = threads ?: num_online_cpus();
	most = DIV_ROUND_UP(totalram_pages() >> order, threads);
	queue = alloc_workqueue("buddies", WQ_UNBOUND, threads);
	all = kcalloc(threads, sizeof(*all), GFP_KERNEL);
	if (!queue || !all)
		goto fail;
	for (i = 0; i < threads; i++) {
		INIT_WORK(&all[i].work, take);
		all[i].blocks = kvmalloc_array(most, sizeof(*all[i].blocks), GFP_KERNEL);
		if (!all[i].blocks)
			goto fail;
	}
	takers = all;
	return 0;

fail:
	takers = all;
	free_takers();
	return -ENOMEM;
}

static void __exit buddies_exit(void)
{
	unsigned int i;

	for (i = 0; i < threads; i++) {
		takers[i].wanted = 0;
		give_back(&takers[i]);
	}
	free_takers();
}

module_init(buddies_init);
module_exit(buddies_exit);

MODULE_DESCRIPTION("Blocks of the buddy allocator, for the benchmark");
MODULE_LICENSE("GPL");
