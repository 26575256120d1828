/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MEMPLUG_HOTPLUG_H
#define MEMPLUG_HOTPLUG_H

#include <linux/types.h>

struct memory_notify;

/**
 * struct hotplug_events - what to do when a memory block comes or goes
 * @leave: it is about to go offline; an error keeps it
 * @stays: it does not go, whoever has refused
 * @gone: it has gone, or does not come; the module may have been loaded since it began to
 * @arrived: it is online
 *
 * Context: each alone, with everybody else kept out who looks at memory. May sleep.
 */
struct hotplug_events {
	int (*leave)(struct memory_notify *memory);
	void (*stays)(struct memory_notify *memory);
	void (*gone)(struct memory_notify *memory);
	void (*arrived)(struct memory_notify *memory);
};

int memplug_hotplug_init(const struct hotplug_events *events);
void memplug_hotplug_exit(void);

int memplug_hotplug_exclude(void);
void memplug_hotplug_exclude_events(void);
bool memplug_hotplug_try_exclude_events(void);
void memplug_hotplug_allow(void);
#ifdef CONFIG_LOCKDEP
void memplug_hotplug_assert_excluded(void);
#else
static inline void memplug_hotplug_assert_excluded(void) { }
#endif
bool memplug_hotplug_wait(unsigned long timeout);
bool memplug_hotplug_is_under_way(void);
bool memplug_hotplug_is_suspended(void);
bool memplug_hotplug_is_waiting(void);
void memplug_hotplug_wait_for_end(void);
bool memplug_hotplug_suspend_claims(void);
void memplug_hotplug_resume_claims(void);

#endif
