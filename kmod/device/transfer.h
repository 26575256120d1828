/* SPDX-License-Identifier: GPL-2.0 */
#ifndef MEMPLUG_TRANSFER_H
#define MEMPLUG_TRANSFER_H

#include "request/request.h"

int transfer_stretch(u64 start, u64 length, struct subblock_run *run);
int transfer_request(const struct memplug_request *user, struct request *req);
int transfer_probe(const struct memplug_request *user);
void transfer_figures(struct memplug_request *user, const struct request *req);
int transfer_results(struct memplug_request *user, const struct request *req);

#endif
