/* SPDX-License-Identifier: MIT */
/* What the kernel counts for each CPU; the test sees each look. */
#ifndef MEMPLUG_TEST_LINUX_VMSTAT_H
#define MEMPLUG_TEST_LINUX_VMSTAT_H

#include <linux/cpu.h>

#define CONFIG_VM_EVENT_COUNTERS

enum vm_event_item { PGMIGRATE_SUCCESS, NR_VM_EVENT_ITEMS };

struct vm_event_state {
	unsigned long event[NR_VM_EVENT_ITEMS];
};

#ifdef __cplusplus
extern "C"
#endif
struct vm_event_state machine_vm_events(int cpu);

#define per_cpu(states, cpu) machine_##states(cpu)
#define machine_vm_event_states(cpu) machine_vm_events(cpu)

#endif
