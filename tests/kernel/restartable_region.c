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
	region_exit();
	memset(&region_books, 0, sizeof(region_books));
	INIT_LIST_HEAD(&region_books.mappings);
}
