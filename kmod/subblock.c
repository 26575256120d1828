// SPDX-License-Identifier: GPL-2.0-only
#include "subblock.h"

unsigned int memplug_subblock_order;
