// SPDX-License-Identifier: GPL-2.0-only
/* Tells a signal that ends what a caller waits for from all else that wakes him up. */
#include <linux/lockdep.h>
#include <linux/sched/signal.h>

#include "request/signals.h"

/*
 * Who is stopped, by the shell's job control or a debugger that attaches, goes on later: what he
 * waits for goes on, too, and he stops when he has it. And who is traced gets signals that he
 * ignores, by his own wish or as all do.
 */
static bool ends_something(int signal, __sighandler_t handler)
{
	if (handler == SIG_IGN)
		return false;
	return handler != SIG_DFL || (!sig_kernel_stop(signal) && !sig_kernel_ignore(signal));
}

static bool any_ends_something(sigset_t *signals, const struct sighand_struct *sighand)
{
	int signal;

	lockdep_assert_held(&sighand->siglock);
	for (signal = 1; signal <= _NSIG; signal++)
		if (sigismember(signals, signal) &&
		    ends_something(signal, sighand->action[signal - 1].sa.sa_handler))
			return true;
	return false;
}

/**
 * memplug_signals_are_due - is there a signal for the running task
 *
 * signal_pending() is true for the freezer, ptrace and task work as well, which are no
 * reason to cut anything short: look for a signal that will be delivered, and does more than stop
 * the task.
 *
 * Context: of a task, with interrupts on.
 */
bool memplug_signals_are_due(void)
{
	struct task_struct *task = current;
	/* the running task's own does not go away */
	struct sighand_struct *sighand = rcu_dereference_protected(task->sighand, true);
	sigset_t pending;
	bool due;

	if (!signal_pending(task))
		return false;
	if (fatal_signal_pending(task))
		return true;
	spin_lock_irq(&sighand->siglock);
	sigorsets(&pending, &task->pending.signal, &task->signal->shared_pending.signal);
	sigandnsets(&pending, &pending, &task->blocked);
	due = any_ends_something(&pending, sighand);
	spin_unlock_irq(&sighand->siglock);
	return due;
}
