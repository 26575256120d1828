/* SPDX-License-Identifier: GPL-2.0 */
#ifndef MEMPLUG_CHARDEV_H
#define MEMPLUG_CHARDEV_H

int chardev_init(void);
void chardev_exit(void);

#endif
