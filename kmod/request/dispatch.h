/* SPDX-License-Identifier: GPL-2.0 */
#ifndef MEMPLUG_DISPATCH_H
#define MEMPLUG_DISPATCH_H

struct request;

int request_run(struct request *req);
void request_undo(struct request *req);

#endif
