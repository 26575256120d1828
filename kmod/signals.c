// SPDX-License-Identifier: GPL-2.0
/* Tells a signal, which ends what a caller waits for, from all else that wakes him up. */
#include <linux/sched/signal.h>

#include "signals.h"

/**
 * signals_are_due - is there a signal for the running task
 *
 * signal_pending() is true for the freezer, ptrace and task work as well, which are no
 * reason to cut anything short: look for a signal that will be delivered.
 *
 * Context: of a task, with interrupts on.
 */
bool signals_are_due(void)
{
	struct task_struct *task = current;
	/* the running task's own does not go away */
	struct sighand_struct *sighand = rcu_dereference_protected(task->sighand, true);
	sigset_t pending;

	if (!signal_pending(task))
		return false;
	if (fatal_signal_pending(task))
		return true;
	spin_lock_irq(&sighand->siglock);
	sigorsets(&pending, &task->pending.signal, &task->signal->shared_pending.signal);
	sigandnsets(&pending, &pending, &task->blocked);
	spin_unlock_irq(&sighand->siglock);
	return !sigisemptyset(&pending);
}
