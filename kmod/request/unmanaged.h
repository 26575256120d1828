/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MEMPLUG_UNMANAGED_H
#define MEMPLUG_UNMANAGED_H

#include <linux/types.h>

#include "subblock.h"

bool memplug_unmanaged_find(struct subblock_run within, struct subblock_run *bad, u32 *why);

#endif
