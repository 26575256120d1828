// SPDX-License-Identifier: GPL-2.0-only
/*
 * Keeps for each reader what has happened and was not read yet. Who reads too late loses the
 * oldest, and is told how many.
 */
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/timekeeping.h>

#include "books/events.h"

#define RING_EVENTS 1024U	/* 64 KiB */

/**
 * struct event_ring - what one reader has not read yet
 * @link: in events.rings
 * @first: the oldest
 * @nr: how many there are; may be looked at without the lock
 * @lost: how many were dropped before the oldest
 * @events: at @first and after it, around the end
 */
struct event_ring {
	struct list_head link;
	unsigned int first;
	unsigned int nr;
	u32 lost;
	struct memplug_event events[RING_EVENTS];
};

static struct {
	spinlock_t lock;	/* protects all rings and their list; taken under region's */
	struct list_head rings;
} events = {
	.lock = __SPIN_LOCK_UNLOCKED(events.lock),
	.rings = LIST_HEAD_INIT(events.rings),
};

static struct memplug_event *event_at(struct event_ring *ring, unsigned int number)
{
	return &ring->events[(ring->first + number) % RING_EVENTS];
}

static void drop_oldest(struct event_ring *ring)
{
	ring->first = (ring->first + 1) % RING_EVENTS;
	ring->lost++;
}

/**
 * memplug_events_add - something has happened
 * @event: complete but for its time
 *
 * Context: any, also where nothing may sleep; a few nanoseconds for each reader. Who waits for
 * events is woken by the caller.
 */
void memplug_events_add(struct memplug_event event)
{
	struct event_ring *ring;

	event.time_ns = ktime_get_ns();
	spin_lock(&events.lock);
	list_for_each_entry(ring, &events.rings, link) {
		if (ring->nr == RING_EVENTS)
			drop_oldest(ring);
		else
			WRITE_ONCE(ring->nr, ring->nr + 1);
		*event_at(ring, ring->nr - 1) = event;
	}
	spin_unlock(&events.lock);
}

/**
 * memplug_events_open - begin to keep events for a reader
 *
 * Context: sleeps.
 *
 * Return: its ring, for memplug_events_close(), or NULL.
 */
struct event_ring *memplug_events_open(void)
{
	struct event_ring *ring = kvzalloc(sizeof(*ring), GFP_KERNEL_ACCOUNT);

	if (!ring)
		return NULL;
	spin_lock(&events.lock);
	list_add_tail(&ring->link, &events.rings);
	spin_unlock(&events.lock);
	return ring;
}

/**
 * memplug_events_close - end of a reader
 * @ring: nobody uses it any more; may be NULL
 */
void memplug_events_close(struct event_ring *ring)
{
	if (!ring)
		return;
	spin_lock(&events.lock);
	list_del(&ring->link);
	spin_unlock(&events.lock);
	kvfree(ring);
}

/**
 * memplug_events_take - the oldest events that a reader has not read
 * @ring: the reader's
 * @taken: result
 * @most: how many fit there
 *
 * Return: how many there were. The first of them says how many were lost before it.
 */
unsigned int memplug_events_take(struct event_ring *ring, struct memplug_event *taken,
				 unsigned int most)
{
	unsigned int i, nr;

	spin_lock(&events.lock);
	nr = min(most, ring->nr);
	for (i = 0; i < nr; i++)
		taken[i] = *event_at(ring, i);
	if (nr) {
		taken[0].lost = ring->lost;
		ring->lost = 0;
		ring->first = (ring->first + nr) % RING_EVENTS;
		WRITE_ONCE(ring->nr, ring->nr - nr);
	}
	spin_unlock(&events.lock);
	return nr;
}

/**
 * memplug_events_pending - is there anything to read
 * @ring: a reader's
 */
bool memplug_events_pending(const struct event_ring *ring)
{
	return READ_ONCE(ring->nr);
}
