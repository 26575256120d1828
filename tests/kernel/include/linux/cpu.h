/* SPDX-License-Identifier: MIT */
/* CPUs that come and go when the test says so, and not while somebody keeps them from it. */
#ifndef MEMPLUG_TEST_LINUX_CPU_H
#define MEMPLUG_TEST_LINUX_CPU_H

#include <stdbool.h>

#define MACHINE_CPUS 4
#define for_each_possible_cpu(cpu) for ((cpu) = 0; (cpu) < MACHINE_CPUS; (cpu)++)

#ifdef __cplusplus
extern "C" {
#endif
bool cpus_read_trylock(void);
void cpus_read_unlock(void);
#ifdef __cplusplus
}
#endif

#endif
