/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MEMPLUG_RETRY_H
#define MEMPLUG_RETRY_H

#include "request/request.h"

void memplug_retry_single(struct request *req, unsigned long index, int error);
void memplug_retry_zone(struct request *req, int place, unsigned int cost);
void memplug_retry_zone_gave(struct request *req, int place);
void memplug_retry_no_memory(struct request *req);
void memplug_retry_wait(struct request *req);

#endif
