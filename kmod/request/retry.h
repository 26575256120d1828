/* SPDX-License-Identifier: GPL-2.0 */
#ifndef MEMPLUG_SETBACK_H
#define MEMPLUG_SETBACK_H

#include "request/request.h"

void setback_single(struct request *req, unsigned long index, int error);
void setback_zone(struct request *req, int nid, unsigned int cost);
void setback_zone_gave(struct request *req, int nid);
void setback_no_memory(struct request *req);
void setback_wait(struct request *req);

#endif
