/* SPDX-License-Identifier: GPL-2.0 */
#ifndef MEMPLUG_TIE_H
#define MEMPLUG_TIE_H

#include "books/books.h"

int tie_open(struct pid *opener, struct region_owner **owner);
void tie_close(struct region_owner *owner);
void tie_unmapped(void);
void tie_exit(void);

#endif
