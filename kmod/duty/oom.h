/* SPDX-License-Identifier: GPL-2.0 */
#ifndef MEMPLUG_PRESSURE_H
#define MEMPLUG_PRESSURE_H

#include <linux/types.h>

extern bool pressure_gives_back;

int pressure_init(void);
void pressure_exit(void);

#endif
