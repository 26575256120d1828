/* SPDX-License-Identifier: GPL-2.0 */
#ifndef MEMPLUG_WORKER_H
#define MEMPLUG_WORKER_H

#include <linux/completion.h>
#include <linux/workqueue.h>

#include "subblock.h"

/**
 * struct claim - one run on its way through a worker
 * @run: subblocks, reserved for unplugging
 * @result: 0: they are unplugged; -EAGAIN: memory hotplug is under way; -ENODEV: some of
 *          them went offline; or an error of contig_claim(). After a failure the
 *          reservation has ended
 * @migrated: pages that the kernel moved meanwhile
 * @done: completed when the worker is through with it
 * @work: of the worker
 */
struct claim {
	struct subblock_run run;
	int result;
	u64 migrated;
	struct completion done;
	struct work_struct work;
};

int worker_init(void);
void worker_exit(void);
void worker_start(struct claim *claim);
bool worker_cancel(struct claim *claim);

#endif
