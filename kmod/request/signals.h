/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MEMPLUG_SIGNALS_H
#define MEMPLUG_SIGNALS_H

#include <linux/types.h>

bool memplug_signals_are_due(void);

#endif
