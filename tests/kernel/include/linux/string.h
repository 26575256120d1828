/* SPDX-License-Identifier: MIT */
/* memchr() looks at one byte after the other, as the kernel's does on x86: the C library's is faster. */
#ifndef MEMPLUG_TEST_LINUX_STRING_H
#define MEMPLUG_TEST_LINUX_STRING_H

#include <string.h>

static inline void *machine_memchr(const void *memory, int byte, size_t nr)
{
	const unsigned char *at = (const unsigned char *)memory;

	for (; nr; nr--, at++)
		if (*at == (unsigned char)byte)
			return (void *)at;
	return NULL;
}

#ifndef __cplusplus
#define memchr machine_memchr
#endif

#endif
