/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MEMPLUG_WATCHER_H
#define MEMPLUG_WATCHER_H

#include <linux/atomic.h>
#include <linux/types.h>

struct event_ring;

/**
 * struct watcher - what an open descriptor knows of what has changed
 * @seen: generation that it has read last
 * @ring: its events, from the first read() on
 */
struct watcher {
	atomic64_t seen;
	struct event_ring *ring;
};

void memplug_watcher_init(struct watcher *watcher);
void memplug_watcher_exit(struct watcher *watcher);
void memplug_watcher_saw(struct watcher *watcher, u64 generation);
bool memplug_watcher_has_news(const struct watcher *watcher);
ssize_t memplug_watcher_read(struct watcher *watcher, char __user *to, size_t size,
			     bool nonblocking, bool visible);

#endif
