/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MEMPLUG_DISPATCH_H
#define MEMPLUG_DISPATCH_H

struct request;

int memplug_request_run(struct request *req);
void memplug_request_undo(struct request *req);

#endif
