# SPDX-License-Identifier: MIT
# shellcheck shell=dash
# Runs a guest's command, checks what is left, writes the verdict last and ends the machine. PID 1
# sources it, which has set $setup and $before; in a whole system it is a service. Never decides what
# passes: the host does, from the verdict and the kernel log.

export PATH=/lab/bin:/usr/bin:/usr/sbin HOME=/root TERM=linux
. /lab/plan
[ -n "${setup:-}" ] || . /run/lab/state
before=${before:-unknown}

status=none
unplugged=none
unload=none

memtotal() {
	awk '/^MemTotal:/ { print $2 }' /proc/meminfo
}

loaded() {
	grep -q '^memplug ' /proc/modules
}

# Through pipes: a program that sees a terminal would draw its progress there.
run_piped() {
	streams=$(mktemp -d)
	mkfifo "$streams/stdout" "$streams/stderr"
	cat <"$streams/stdout" >/dev/lab-stdout &
	out=$!
	cat <"$streams/stderr" >/dev/lab-stderr &
	err=$!
	sh /lab/command </dev/null >"$streams/stdout" 2>"$streams/stderr"
	status=$?
	# What the command left running may hold the pipes open for ever.
	for _ in $(seq 100); do
		kill -0 $out 2>/dev/null || kill -0 $err 2>/dev/null || break
		sleep 0.1
	done
}

run_command() {
	cd / || return
	if [ "$PLAN_INTERACTIVE" = yes ]; then
		setsid -c sh /lab/command <>/dev/lab-stdout >&0 2>&0
		status=$?
	else
		run_piped
	fi
}

# A kernel that looks for leaks tells of them in its log. What is younger than some seconds is not
# taken for one, and neither is what has changed since the scan before. A scan takes half a minute.
check_leaks() {
	[ "$PLAN_LEAKS" = yes ] && [ -e /sys/kernel/debug/kmemleak ] || return
	sleep 6
	echo scan >/sys/kernel/debug/kmemleak
	echo scan >/sys/kernel/debug/kmemleak
	cat /sys/kernel/debug/kmemleak >/dev/lab-console
}

# What ran of the module, its exit included.
send_coverage() {
	[ -e /dev/lab-coverage ] && [ -d /sys/kernel/debug/gcov ] || return
	stty -F /dev/lab-coverage raw -echo
	mkdir /tmp/gcov
	# These files tell no size, as tar would want.
	find /sys/kernel/debug/gcov -name '*.gcda' | while read -r file; do
		mkdir -p "/tmp/gcov/${file%/*}"
		cat "$file" >"/tmp/gcov/$file"
	done
	tar -C /tmp/gcov/sys/kernel/debug/gcov -czf - . >/dev/lab-coverage
}

check_end() {
	if loaded; then
		unplugged=$(memplugctl status --json | jsonget /unplugged_size) || unplugged=unknown
		unload=ok
		/usr/sbin/rmmod memplug 2>/tmp/rmmod.err || unload="$(tail -n 1 /tmp/rmmod.err)"
	fi
}

if [ "$setup" = ok ]; then
	run_command
	check_end
	check_leaks
	send_coverage
fi

{
	echo "verdict $PLAN_TOKEN"
	echo "setup=$setup"
	echo "status=$status"
	echo "unplugged=$unplugged"
	echo "unload=$unload"
	echo "memtotal_before=$before"
	echo "memtotal_after=$(memtotal)"
	echo "end $PLAN_TOKEN"
} >/dev/lab-verdict
umount /mnt 2>/dev/null
# Powering off after a suspend to RAM ends in a warning of the kernel's own. QEMU, which does not
# reboot then, ends at either.
[ "$(cat /sys/power/suspend_stats/success 2>/dev/null)" = 0 ] || reboot -f
poweroff -f
