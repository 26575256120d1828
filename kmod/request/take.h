/* SPDX-License-Identifier: GPL-2.0 */
#ifndef MEMPLUG_TAKE_H
#define MEMPLUG_TAKE_H

#include "request/candidates.h"

bool take_has_room(const struct request *req);
int take_start(struct request *req, struct subblock_run run, const struct look *look);
struct attempt *take_land(struct request *req);
int take_pretend(struct request *req, struct subblock_run run, const struct look *look);
void take_drain(struct request *req);

#endif
