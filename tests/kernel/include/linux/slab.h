/* SPDX-License-Identifier: MIT */
/* Memory that is counted: machine.hpp tells how much of it is in use. */
#ifndef MEMPLUG_TEST_LINUX_SLAB_H
#define MEMPLUG_TEST_LINUX_SLAB_H

#include <linux/types.h>

#define GFP_KERNEL 0U

#ifdef __cplusplus
extern "C" {
#endif
void *kvcalloc(size_t nr, size_t size, unsigned int flags);
void kvfree(const void *memory);
#ifdef __cplusplus
}
#endif

static inline void *kvzalloc(size_t size, unsigned int flags)
{
	return kvcalloc(1, size, flags);
}

#endif
