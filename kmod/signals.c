// SPDX-License-Identifier: GPL-2.0
/* Tells a signal that ends what a caller waits for from all else that wakes him up. */
#include <linux/kernel.h>
#include <linux/lockdep.h>
#include <linux/sched/signal.h>

#include "signals.h"

/*
 * Who is stopped, by the shell's job control or a debugger that attaches, goes on later: what he
 * waits for goes on, too, and he stops when he has it.
 */
static void leave_stops_out(sigset_t *signals, const struct sighand_struct *sighand)
{
	static const int can_be_handled[] = { SIGTSTP, SIGTTIN, SIGTTOU };
	unsigned int i;

	lockdep_assert_held(&sighand->siglock);
	sigdelset(signals, SIGSTOP);
	for (i = 0; i < ARRAY_SIZE(can_be_handled); i++)
		if (sighand->action[can_be_handled[i] - 1].sa.sa_handler == SIG_DFL)
			sigdelset(signals, can_be_handled[i]);
}

/**
 * signals_are_due - is there a signal for the running task
 *
 * signal_pending() is true for the freezer, ptrace and task work as well, which are no
 * reason to cut anything short: look for a signal that will be delivered, and is not there to stop
 * the task.
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
	leave_stops_out(&pending, sighand);
	spin_unlock_irq(&sighand->siglock);
	return !sigisemptyset(&pending);
}
