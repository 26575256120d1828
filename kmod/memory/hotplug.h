/* SPDX-License-Identifier: GPL-2.0 */
#ifndef MEMPLUG_HOTPLUG_H
#define MEMPLUG_HOTPLUG_H

#include <linux/types.h>

int hotplug_init(void);
void hotplug_exit(void);

int hotplug_exclude(void);
void hotplug_exclude_events(void);
bool hotplug_try_exclude_events(void);
void hotplug_allow(void);
#ifdef CONFIG_LOCKDEP
void hotplug_assert_excluded(void);
#else
static inline void hotplug_assert_excluded(void) { }
#endif
bool hotplug_wait(unsigned long timeout);
bool hotplug_is_under_way(void);
bool hotplug_is_waiting(void);
void hotplug_wait_for_end(void);
bool hotplug_suspend_claims(void);
void hotplug_resume_claims(void);

#endif
