/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MEMPLUG_EVENTS_H
#define MEMPLUG_EVENTS_H

#include <linux/types.h>

#include "uapi/memplug.h"

struct event_ring;

void memplug_events_add(struct memplug_event event);

struct event_ring *memplug_events_open(void);
void memplug_events_close(struct event_ring *ring);
unsigned int memplug_events_take(struct event_ring *ring, struct memplug_event *taken,
				 unsigned int most);
bool memplug_events_pending(const struct event_ring *ring);

#endif
