/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MEMPLUG_CHARDEV_H
#define MEMPLUG_CHARDEV_H

int memplug_chardev_init(void);
void memplug_chardev_exit(void);

#endif
