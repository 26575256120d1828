#!/bin/sh
# SPDX-License-Identifier: MIT
# Who stops a request's caller and lets him go on, or attaches a debugger to him, does not end the
# request: all of it is done.
# lab: mem=4G
# lab: timeout=180
set -eu
. /lab/lib.sh

mount -t tmpfs -o size=2G tmpfs /tmp
keeper start tmpfs file /tmp/content 700M
kpf save /tmp/baseline

# paused HOW [exact]: half as long after its beginning each time that it was done before.
paused() {
	after=$((400 * PLAN_SLOWNESS))
	until
		ended=0
		interrupt "$1" $after 768 ${2:+"$2"} || ended=$?
		memplugctl plug --all --quiet >/dev/null
		[ $ended != 3 ]
	do
		after=$((after / 2))
		[ $after -ge 10 ] || fail "no request can be stopped before it is done"
	done
	assert_eq "exit status of interrupt $*" $ended 0
}

for how in stop tstp attach; do
	paused $how
	paused $how exact
	kpf check /tmp/baseline
done

# The same through the tool.
memplugctl unplug 768M --quiet >/tmp/out &
unplugger=$!
something_is_unplugged() {
	[ "$(unplugged_bytes)" -gt 0 ]
}
wait_for 10 something_is_unplugged || fail "nothing is taken"
kill -STOP $unplugger
sleep 1
kill -CONT $unplugger
expect_status 0 wait $unplugger
assert_eq "unplugged" "$(unplugged_bytes)" $((768 << 20))
memplugctl plug --all --quiet >/dev/null
keeper stop tmpfs
kpf check /tmp/baseline
