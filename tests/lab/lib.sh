# SPDX-License-Identifier: MIT
# shellcheck shell=dash
# What cases share: saying why they end, comparing, waiting, reading the guest's memory figures.
# Sourced by a case; changes nothing in the guest.

. /lab/plan

# busybox's shell prefers its own applets, and its insmod runs a module's failing init twice. What
# every load is to have comes first: of a parameter that is given twice the last counts.
insmod() {
	if [ "$1" = /lab/memplug.ko ]; then
		shift
		# Word splitting is wanted.
		# shellcheck disable=SC2086
		set -- /lab/memplug.ko $PLAN_EVERY_LOAD "$@"
	fi
	/usr/sbin/insmod "$@"
}
rmmod() { /usr/sbin/rmmod "$@"; }

# fail MSG: ends the case as failed.
fail() {
	echo "FAIL: $*" >&2
	exit 1
}

# skip MSG: ends the case as skipped; the message is its last line.
skip() {
	echo "SKIP: $*"
	exit 77
}

# assert_eq WHAT GOT WANTED
assert_eq() {
	[ $# -eq 3 ] || fail "assert_eq takes three arguments, got $#: $*"
	[ "$2" = "$3" ] || fail "$1 is '$2', should be '$3'"
}

# expect_status WANTED CMD...: runs it; its exit status must be WANTED.
expect_status() {
	wanted_status=$1
	shift
	got_status=0
	"$@" || got_status=$?
	assert_eq "exit status of '$*'" "$got_status" "$wanted_status"
}

# expect_told WANTED FILE CMD...: the same; what it says on stderr is in FILE.
expect_told() {
	wanted_status=$1
	told_file=$2
	shift 2
	got_status=0
	"$@" 2>"$told_file" || got_status=$?
	assert_eq "exit status of '$*'" "$got_status" "$wanted_status"
}

# wait_for SECONDS CMD...: until CMD succeeds; fails if it does not in that time. A slow kernel is
# given more.
wait_for() {
	wait_limit=$(($1 * PLAN_SLOWNESS))
	shift
	# /proc/uptime goes on whatever the wall clock does.
	wait_end=$(($(cut -d. -f1 /proc/uptime) + wait_limit))
	until "$@"; do
		[ "$(cut -d. -f1 /proc/uptime)" -lt "$wait_end" ] || return 1
		sleep 0.1
	done
}

# suspend_to_ram SECONDS: sleeps and is woken by the clock, so many seconds after it was called. They
# have to be enough for falling asleep: an alarm that comes before wakes nobody.
suspend_to_ram() {
	echo 0 >/sys/class/rtc/rtc0/wakealarm
	echo "+$1" >/sys/class/rtc/rtc0/wakealarm
	echo mem >/sys/power/state
}

# json FILE POINTER: one value of a JSON file.
json() {
	jsonget "$2" <"$1"
}

memtotal_kb() {
	awk '/^MemTotal:/ { print $2 }' /proc/meminfo
}

status_value() {
	memplugctl status --json | jsonget "$1"
}

managed_bytes() {
	status_value /managed_size
}

unplugged_bytes() {
	status_value /unplugged_size
}

# first_pfn: ZONE_NORMAL's first page frame, in the first node that has one.
first_pfn() {
	awk '/zone +Normal/ { normal = 1 } normal && /start_pfn/ { print $2; exit }' /proc/zoneinfo
}

# find_block: a memory block, by its number, that can be unplugged whole: no kernel page is in it,
# so what happens to it is memplug's doing. Nothing is unplugged afterwards.
find_block() {
	block_bytes=$((0x$(cat /sys/devices/system/memory/block_size_bytes)))
	for candidate in $(seq 40 79); do
		[ -e "/sys/devices/system/memory/memory$candidate" ] || continue
		if memplugctl unplug "$(printf '0x%x+%d' $((candidate * block_bytes)) $block_bytes)" \
			--exact --quiet >/dev/null 2>&1; then
			memplugctl plug --all --quiet >/dev/null
			echo "$candidate"
			return
		fi
	done
	fail "no memory block can be unplugged whole"
}

# offline_block BYTES: a memory block goes offline, BYTES of it unplugged (at its beginning; may be 0).
# Its number is in $block then, its size in $size. 1: it did not go, as the kernel has put a page into
# it since it was free: wait_for, so that others are tried. Nothing else is unplugged afterwards.
offline_block() {
	block=$(find_block) || return 1
	size=$((0x$(cat /sys/devices/system/memory/block_size_bytes)))
	[ "$1" = 0 ] ||
		memplugctl unplug "$(printf '0x%x+%d' $((block * size)) "$1")" --quiet >/dev/null
	echo offline 2>/dev/null >/sys/devices/system/memory/memory"$block"/state && return
	memplugctl plug --all --quiet >/dev/null
	return 1
}
