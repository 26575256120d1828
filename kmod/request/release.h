/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MEMPLUG_RELEASE_H
#define MEMPLUG_RELEASE_H

#include <linux/nodemask.h>

#include "books/books.h"

/* What became of a subblock that was to be released. */
enum release {
	RELEASED,
	RELEASE_POISONED,	/* it stays held, with this page frame */
	RELEASE_LEFT,		/* its memory block has gone offline, or is about to */
};

enum release memplug_release_subblock(unsigned long index, enum region_mover mover,
				      unsigned long *poisoned);
void memplug_release_tied(const struct region_owner *owner);
unsigned long memplug_release_in_need(unsigned long most, const nodemask_t *nodes);
void memplug_release_everything(void);

#endif
