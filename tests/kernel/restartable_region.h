/* SPDX-License-Identifier: MIT */
/* Beside region.h: for test programs only. */
#ifndef MEMPLUG_TEST_RESTARTABLE_REGION_H
#define MEMPLUG_TEST_RESTARTABLE_REGION_H

/* After memplug_region_init(), successful or not: everything is as if it had never been called. */
void region_restart(void);

#endif
