// SPDX-License-Identifier: GPL-2.0
#include "subblock.h"

unsigned int subblock_order;
