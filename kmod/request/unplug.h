/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MEMPLUG_UNPLUG_H
#define MEMPLUG_UNPLUG_H

#include <linux/types.h>

struct request;

/* Address order, whatever is in the memory. Set once, before the first request. */
extern bool memplug_unplug_by_address;

void memplug_unplug_run(struct request *req);

#endif
