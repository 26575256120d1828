// SPDX-License-Identifier: GPL-2.0
#include "subblock.h"

unsigned int memplug_subblock_order;
