// SPDX-License-Identifier: GPL-2.0-only
/* What poll() and read() tell an open descriptor: that something has changed, and what. */
#include <linux/minmax.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#include "books/books.h"
#include "books/events.h"
#include "device/watcher.h"

/* Events that one read() gives: what the stack has room for. */
#define MAX_READ_EVENTS 8

/**
 * memplug_watcher_init - a descriptor has been opened
 * @watcher: result
 */
void memplug_watcher_init(struct watcher *watcher)
{
	atomic64_set(&watcher->seen, memplug_region_generation());
	watcher->ring = NULL;
}

/**
 * memplug_watcher_exit - a descriptor is gone
 * @watcher: of memplug_watcher_init()
 */
void memplug_watcher_exit(struct watcher *watcher)
{
	memplug_events_close(watcher->ring);
}

/**
 * memplug_watcher_saw - a descriptor has been told of all that has happened
 * @watcher: its
 * @generation: up to this one
 */
void memplug_watcher_saw(struct watcher *watcher, u64 generation)
{
	atomic64_set(&watcher->seen, generation);
}

/**
 * memplug_watcher_has_news - is there an event to read, or without events a new generation
 * @watcher: a descriptor's
 */
bool memplug_watcher_has_news(const struct watcher *watcher)
{
	const struct event_ring *ring = READ_ONCE(watcher->ring);

	return ring ? memplug_events_pending(ring) :
		      memplug_region_generation() != atomic64_read(&watcher->seen);
}

/* Events are kept from the first call on. */
static struct event_ring *get_ring(struct watcher *watcher)
{
	struct event_ring *ring = READ_ONCE(watcher->ring);
	struct event_ring *fresh;

	if (ring)
		return ring;
	fresh = memplug_events_open();
	if (!fresh)
		return NULL;
	ring = cmpxchg(&watcher->ring, NULL, fresh);
	/* another thread was faster */
	if (ring)
		memplug_events_close(fresh);
	return ring ?: fresh;
}

/**
 * memplug_watcher_read - read() of events, as struct memplug_event says
 * @watcher: the descriptor's
 * @to: result
 * @size: bytes that fit there
 * @nonblocking: do not wait for the first event
 * @visible: addresses may be told
 *
 * Context: sleeps.
 *
 * Return: bytes, or -ENOMEM, -EINVAL, -EAGAIN, -ERESTARTSYS or -EFAULT.
 */
ssize_t memplug_watcher_read(struct watcher *watcher, char __user *to, size_t size,
			     bool nonblocking, bool visible)
{
	struct memplug_event events[MAX_READ_EVENTS];
	unsigned int room = min_t(size_t, size / sizeof(events[0]), MAX_READ_EVENTS);
	struct event_ring *ring = get_ring(watcher);
	unsigned int i, nr;

	if (!ring)
		return -ENOMEM;
	if (!room)
		return -EINVAL;
	for (;;) {
		nr = memplug_events_take(ring, events, room);
		if (nr)
			break;
		if (nonblocking)
			return -EAGAIN;
		if (wait_event_interruptible(*memplug_region_wait_queue(),
					     memplug_events_pending(ring)))
			return -ERESTARTSYS;
	}
	for (i = 0; i < nr && !visible; i++)
		events[i].start = 0;
	return copy_to_user(to, events, nr * sizeof(events[0])) ? -EFAULT : nr * sizeof(events[0]);
}
