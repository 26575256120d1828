/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MEMPLUG_TARGET_H
#define MEMPLUG_TARGET_H

int memplug_target_init(void);
void memplug_target_exit(void);
int memplug_target_set(unsigned long subblocks);

#endif
