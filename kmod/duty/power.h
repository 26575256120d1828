/* SPDX-License-Identifier: GPL-2.0 */
#ifndef MEMPLUG_POWER_H
#define MEMPLUG_POWER_H

int power_init(void);
void power_exit(void);

#endif
