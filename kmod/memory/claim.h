/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MEMPLUG_CLAIM_H
#define MEMPLUG_CLAIM_H

#include <linux/completion.h>
#include <linux/list.h>
#include <linux/workqueue.h>

#include "books/books.h"

/* The most claims that ever run side by side. */
#define WORKER_MAX 16

/**
 * struct claim - one run on its way through a worker
 * @run: subblocks, reserved for unplugging
 * @result: 0: they are unplugged; -EAGAIN: memory hotplug is under way, or was given way to;
 *          -ECANCELED: it was cancelled on its way; -ENODEV: some of
 *          them went offline; -EALREADY: they were wanted, and some are not any more; or an error
 *          of memplug_contig_claim(). After a failure the reservation has ended
 * @migrated: pages that the kernel moved meanwhile
 * @cancelled: it is to end as soon as it can; set by memplug_claim_cancel()
 * @over: the worker is through with it, and about to complete @landed if it has not yet
 * @mover: on whose behalf
 * @owner: whose it is to be until memplug_region_settle() or for longer, or NULL
 * @gives_way: it ends between two pieces if memory hotplug waits for it
 * @only_wanted: it is claimed because it is wanted; if it is not any more, it is released again
 * @give_back: release it again at once: the claim is made for its side effects
 * @landed: completed once for each claim that is over; may be shared by several
 * @nid: of the worker: node of the run
 * @waiting: of the worker: for its turn
 * @work: of the worker
 */
struct claim {
	struct subblock_run run;
	int result;
	u64 migrated;
	bool cancelled;
	bool over;
	enum region_mover mover;
	const struct region_owner *owner;
	bool gives_way;
	bool only_wanted;
	bool give_back;
	struct completion *landed;
	int nid;
	struct list_head waiting;
	struct work_struct work;
};

int memplug_claim_init(unsigned int count);
void memplug_claim_exit(void);
unsigned int memplug_claim_workers(void);
int memplug_claim_run(struct claim *claim);
void memplug_claim_start(struct claim *claim, int nid);
bool memplug_claim_cancel(struct claim *claim);

#endif
