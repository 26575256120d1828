/* SPDX-License-Identifier: MIT */
/* The size of memory blocks is what the test says. */
#ifndef MEMPLUG_TEST_LINUX_MEMORY_H
#define MEMPLUG_TEST_LINUX_MEMORY_H

#ifdef __cplusplus
extern "C" {
#endif
unsigned long memory_block_size_bytes(void);
#ifdef __cplusplus
}
#endif

#endif
