/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MEMPLUG_PARAMETER_H
#define MEMPLUG_PARAMETER_H

#include <linux/types.h>

int memplug_parameter_bytes(const char *text, u64 *bytes);

#endif
