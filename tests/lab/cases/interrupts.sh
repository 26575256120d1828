#!/bin/sh
# SPDX-License-Identifier: MIT
# SIGINT, SIGKILL and a timeout in the middle of a large unplug of occupied memory: it stops, the
# answer or the list tells the truth, nothing is half done and no content is lost.
# lab: mem=4G
# lab: timeout=180
# lab: alone=yes
set -eu
. /lab/lib.sh

mount -t tmpfs -o size=2G tmpfs /tmp
keeper start tmpfs file /tmp/content 1000M
keeper start anon anon 300M
kpf save /tmp/baseline

# too_late: the request was done before it could be stopped. Its memory comes back, and much of it
# is occupied anew: what was moved once is out of the way, and free memory is quickly taken where
# nothing zeroes it. $after, in ms, is halved.
too_late() {
	after=$((after / 2))
	[ $after -ge 10 ] || fail "no request can be stopped before it is done"
	memplugctl plug --all --quiet >/dev/null
	dd if=/dev/zero of=/tmp/occupied bs=1M count=500 2>/tmp/dd || fail "$(cat /tmp/dd)"
}

# interrupted HOW MS [exact]: a slow kernel has not begun to take anything in less.
interrupted() {
	after=$(($2 * PLAN_SLOWNESS))
	until
		ended=0
		interrupt "$1" $after 1024 ${3:+"$3"} || ended=$?
		[ $ended != 3 ]
	do
		too_late
	done
	assert_eq "exit status of interrupt $*" $ended 0
}

for how in "int 1000" "int 200" "kill 1000" "kill 50" "timeout 1000" "timeout 100"; do
	# shellcheck disable=SC2086  # two words are wanted
	interrupted $how
	kpf check /tmp/baseline
	memplugctl plug --all --quiet >/dev/null
	kpf check /tmp/baseline
done
for how in "int 500" "kill 500" "timeout 500"; do
	# shellcheck disable=SC2086
	interrupted $how exact
	kpf check /tmp/baseline
done

something_is_unplugged() {
	[ "$(unplugged_bytes)" -gt 0 ]
}

# The same through the tool.
after=$((500 * PLAN_SLOWNESS))
until
	ended=0
	memplugctl unplug 1G --timeout ${after}ms --json >/tmp/timeout.json || ended=$?
	[ $ended != 0 ]
do
	too_late
done
assert_eq "exit status after a timeout" $ended 64
assert_eq "stopped_by" "$(json /tmp/timeout.json /stopped_by)" timeout
echo "--timeout ${after}ms: $(json /tmp/timeout.json /done_size) bytes in" \
	"$(json /tmp/timeout.json /elapsed_us) us"
memplugctl plug --all --quiet >/dev/null

# It is not known beforehand when it begins: $after only ends the tries. SIGTERM, as a script has SIGINT
# ignored for what it runs in the background, and what is ignored at the start stays so.
after=1000
until
	memplugctl unplug 1G --json >/tmp/sigterm.json &
	tool=$!
	wait_for 20 something_is_unplugged || fail "the request does not begin"
	kill -TERM "$tool" 2>/dev/null || :
	ended=0
	wait "$tool" || ended=$?
	[ $ended != 0 ]
do
	too_late
done
assert_eq "exit status after SIGTERM" $ended 64
assert_eq "stopped_by" "$(json /tmp/sigterm.json /stopped_by)" interrupted
echo "SIGTERM: $(json /tmp/sigterm.json /done_size) bytes in $(json /tmp/sigterm.json /elapsed_us) us"
assert_eq "what the tool told" "$(json /tmp/sigterm.json /done_size)" "$(unplugged_bytes)"
memplugctl plug --all --quiet >/dev/null

keeper stop tmpfs
keeper stop anon
kpf check /tmp/baseline
