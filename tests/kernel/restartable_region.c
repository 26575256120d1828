/* SPDX-License-Identifier: MIT */
/*
 * A way for the module's books to begin again: a module is loaded once, a test program sees
 * many machines come and go.
 */
#include <string.h>

#include "books/private.h"
#include "restartable_region.h"

void region_restart(void)
{
	memplug_region_exit();
	memset(&memplug_books, 0, sizeof(memplug_books));
	INIT_LIST_HEAD(&memplug_books.mappings);
}
