/* SPDX-License-Identifier: MIT */
/* Arithmetic that the kernel has at hand everywhere. */
#ifndef MEMPLUG_TEST_LINUX_KERNEL_H
#define MEMPLUG_TEST_LINUX_KERNEL_H

#include <errno.h>
#include <limits.h>

#include <linux/types.h>

#define DIV_ROUND_UP(n, d) (((n) + (d) - 1) / (d))
#define ALIGN(n, step) (DIV_ROUND_UP(n, step) * (step))
#define ALIGN_DOWN(n, step) ((n) / (step) * (step))
#define READ_ONCE(x) (*(const volatile __typeof__(x) *)&(x))

#define data_race(x) (x)
#define WRITE_ONCE(x, value) (*(volatile __typeof__(x) *)&(x) = (value))
#define smp_load_acquire(pointer) __atomic_load_n(pointer, __ATOMIC_ACQUIRE)
#define HZ 250

#define U16_MAX ((u16)~0U)
#define U64_MAX ((u64)~0ULL)
#ifndef __cplusplus
#define static_assert(condition) _Static_assert(condition, #condition)
#define fallthrough __attribute__((__fallthrough__))
#endif

#include <linux/minmax.h>

#endif
