/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MEMPLUG_TIE_H
#define MEMPLUG_TIE_H

#include "books/books.h"

int memplug_tie_open(struct pid *opener, struct region_owner **owner);
void memplug_tie_close(struct region_owner *owner);
void memplug_tie_unmapped(void);
void memplug_tie_exit(void);

#endif
