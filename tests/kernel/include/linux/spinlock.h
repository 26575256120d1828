/* SPDX-License-Identifier: MIT */
/*
 * For one thread: a lock is never waited for. To take it twice, or to sleep while it is held,
 * is a bug that ends the program. A benchmark may see how long it is held.
 */
#ifndef MEMPLUG_TEST_LINUX_SPINLOCK_H
#define MEMPLUG_TEST_LINUX_SPINLOCK_H

#include <stdlib.h>

#include <linux/types.h>

typedef struct spinlock {
	unsigned char held;
} spinlock_t;

#define __SPIN_LOCK_UNLOCKED(name) { 0 }

#ifdef __cplusplus
extern "C" {
#endif
extern unsigned int machine_locks_held;
/* Called, if it is set, after a lock has been taken and before it is let go. */
extern void (*machine_lock_watch)(bool taken);
#ifdef __cplusplus
}
#endif

static inline void might_sleep(void)
{
	if (machine_locks_held)
		abort();
}

/* Atomic, as in the kernel: that is most of what an uncontended lock costs. */
static inline void spin_lock(spinlock_t *lock)
{
	if (__atomic_exchange_n(&lock->held, 1, __ATOMIC_ACQUIRE))
		abort();
	machine_locks_held++;
	if (machine_lock_watch)
		machine_lock_watch(true);
}

static inline void spin_unlock(spinlock_t *lock)
{
	if (!lock->held)
		abort();
	if (machine_lock_watch)
		machine_lock_watch(false);
	machine_locks_held--;
	__atomic_store_n(&lock->held, 0, __ATOMIC_RELEASE);
}

static inline void lockdep_assert_held(const spinlock_t *lock)
{
	if (!lock->held)
		abort();
}

#endif
