/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MEMPLUG_OOM_H
#define MEMPLUG_OOM_H

#include <linux/types.h>

extern bool memplug_oom_gives_back;

int memplug_oom_init(void);
void memplug_oom_exit(void);

#endif
