/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MEMPLUG_CONTIGUOUS_H
#define MEMPLUG_CONTIGUOUS_H

#include "request/request.h"

void memplug_contiguous_take(struct request *req);

#endif
