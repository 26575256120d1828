/* SPDX-License-Identifier: GPL-2.0 */
#ifndef MEMPLUG_TARGET_H
#define MEMPLUG_TARGET_H

int target_init(void);
void target_exit(void);
int target_set(unsigned long subblocks);

#endif
