/* SPDX-License-Identifier: GPL-2.0 */
#ifndef MEMPLUG_QUARANTINE_H
#define MEMPLUG_QUARANTINE_H

#include "subblock.h"

unsigned long quarantine_change(struct subblock_run run, bool quarantined);
void quarantine_gone(unsigned long index);

#endif
