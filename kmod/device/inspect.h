/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MEMPLUG_INSPECT_H
#define MEMPLUG_INSPECT_H

#include "books/books.h"

unsigned long memplug_inspect(struct subblock_run run, struct memplug_subblock *records, u32 room,
			      u32 *count);

#endif
