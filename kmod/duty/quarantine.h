/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MEMPLUG_QUARANTINE_H
#define MEMPLUG_QUARANTINE_H

#include "subblock.h"

unsigned long memplug_quarantine_change(struct subblock_run run, bool quarantined);
void memplug_quarantine_gone(unsigned long index);

#endif
