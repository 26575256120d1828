/* SPDX-License-Identifier: MIT */
/* Each argument is evaluated once, as in the kernel. */
#ifndef MEMPLUG_TEST_LINUX_MINMAX_H
#define MEMPLUG_TEST_LINUX_MINMAX_H

#ifndef __cplusplus
#define min(a, b) __extension__({ \
	__typeof__(a) min_a = (a); \
	__typeof__(b) min_b = (b); \
	min_a < min_b ? min_a : min_b; })
#define max(a, b) __extension__({ \
	__typeof__(a) max_a = (a); \
	__typeof__(b) max_b = (b); \
	max_a > max_b ? max_a : max_b; })
#define clamp(value, low, high) min(max(value, low), high)
#define max_t(type, a, b) max((type)(a), (type)(b))
#define clamp_t(type, value, low, high) clamp((type)(value), (type)(low), (type)(high))
#endif

#endif
