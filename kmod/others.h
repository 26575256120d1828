/* SPDX-License-Identifier: GPL-2.0 */
#ifndef MEMPLUG_OTHERS_H
#define MEMPLUG_OTHERS_H

#include <linux/types.h>

u32 others_at_work(void);

#endif
