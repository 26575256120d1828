/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MEMPLUG_TAKE_H
#define MEMPLUG_TAKE_H

#include "request/candidates.h"

bool memplug_take_has_room(const struct request *req);
int memplug_take_start(struct request *req, struct subblock_run run, const struct look *look);
struct attempt *memplug_take_land(struct request *req);
int memplug_take_pretend(struct request *req, struct subblock_run run, const struct look *look);
void memplug_take_drain(struct request *req);

#endif
