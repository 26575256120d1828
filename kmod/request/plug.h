/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MEMPLUG_PLUG_H
#define MEMPLUG_PLUG_H

struct request;

void memplug_plug_run(struct request *req);

#endif
