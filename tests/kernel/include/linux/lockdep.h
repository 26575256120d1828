/* SPDX-License-Identifier: MIT */
/* Spinlocks are the only locks here. */
#ifndef MEMPLUG_TEST_LINUX_LOCKDEP_H
#define MEMPLUG_TEST_LINUX_LOCKDEP_H

#include <linux/spinlock.h>

#endif
