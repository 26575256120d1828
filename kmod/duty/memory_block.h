/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MEMPLUG_MEMORY_BLOCK_H
#define MEMPLUG_MEMORY_BLOCK_H

struct hotplug_events;

extern const struct hotplug_events memplug_memory_block_events;

#endif
