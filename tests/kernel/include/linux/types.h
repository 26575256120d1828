/* SPDX-License-Identifier: MIT */
/* The short names of the kernel's integers, beside what user space has under this name. */
#ifndef MEMPLUG_TEST_LINUX_TYPES_H
#define MEMPLUG_TEST_LINUX_TYPES_H

#include_next <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;

#endif
