/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MEMPLUG_COUNTERS_H
#define MEMPLUG_COUNTERS_H

#include "uapi/memplug.h"

void memplug_counters_add_request(u32 operation, u32 stop);
void memplug_counters_add_claim(unsigned long pages_claimed, u64 pages_migrated, u64 ns);
void memplug_counters_add_survey(u64 ns);
void memplug_counters_add_oom(unsigned long pages);
void memplug_counters_add_release(unsigned long pages);
void memplug_counters_read(struct memplug_counters *counters);

#endif
