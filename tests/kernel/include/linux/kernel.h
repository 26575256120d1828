/* SPDX-License-Identifier: MIT */
/* Arithmetic that the kernel has at hand everywhere. */
#ifndef MEMPLUG_TEST_LINUX_KERNEL_H
#define MEMPLUG_TEST_LINUX_KERNEL_H

#include <errno.h>
#include <limits.h>

#include <linux/types.h>

#define DIV_ROUND_UP(n, d) (((n) + (d) - 1) / (d))
#define ALIGN(n, step) (DIV_ROUND_UP(n, step) * (step))
#define READ_ONCE(x) (*(const volatile __typeof__(x) *)&(x))

#ifndef __cplusplus
#define min(a, b) __extension__({ \
	__typeof__(a) min_a = (a); \
	__typeof__(b) min_b = (b); \
	min_a < min_b ? min_a : min_b; })
#define max(a, b) __extension__({ \
	__typeof__(a) max_a = (a); \
	__typeof__(b) max_b = (b); \
	max_a > max_b ? max_a : max_b; })
#endif

#endif
