/* SPDX-License-Identifier: MIT */
/* For the size of struct request only. */
#ifndef MEMPLUG_TEST_LINUX_KTIME_H
#define MEMPLUG_TEST_LINUX_KTIME_H

typedef long long ktime_t;

#endif
