/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MEMPLUG_TRANSFER_H
#define MEMPLUG_TRANSFER_H

#include "request/request.h"

int memplug_transfer_stretch(u64 start, u64 length, struct subblock_run *run);
int memplug_transfer_request(const struct memplug_request *user, struct request *req);
int memplug_transfer_probe(const struct memplug_request *user);
void memplug_transfer_figures(struct memplug_request *user, const struct request *req);
int memplug_transfer_results(struct memplug_request *user, const struct request *req);

#endif
