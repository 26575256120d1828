/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MEMPLUG_POWER_H
#define MEMPLUG_POWER_H

int memplug_power_init(void);
void memplug_power_exit(void);

#endif
