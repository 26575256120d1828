#!/bin/sh
# SPDX-License-Identifier: MIT
# With oom_give_back, a program that needs more than is plugged gets it, in pieces, from what is
# unplugged, and nobody is killed; fifty times, while /proc/kcore is read and requests run. When
# nothing is unplugged any more, the kernel kills as ever.
# lab: mem=5G
# lab: module-args=oom_give_back=1 floor=0
# lab: append=init_on_alloc=0
# lab: timeout=300
# lab: expect-report=invoked oom-killer|Out of memory: Killed process \d+ \(eater\)
# lab: alone=yes
set -eu
. /lab/lib.sh

kills() {
	awk '/^oom_kill / { print $2 }' /proc/vmstat
}

available_mib() {
	awk '/^MemAvailable:/ { print int($2 / 1024) }' /proc/meminfo
}

going_on() {
	[ ! -e /tmp/over ]
}

read_kcore() {
	while going_on; do
		dd if=/proc/kcore of=/dev/null bs=1M count=256 2>/dev/null || true
		sleep 0.1
	done
}

kpf save /tmp/baseline
# Memory that no unplug can reach is in the way of a short test: it is held by one who is not killed.
keeper start hog anon 1700M
for hog in $(pidof keeper); do
	echo -1000 >/proc/"$hog"/oom_score_adj
done
read_kcore &
reader=$!
echo -1000 >/proc/$$/oom_score_adj

memplugctl unplug 100G --quiet >/dev/null 2>&1 || true
held=$(unplugged_bytes)
left=$(available_mib)
echo "unplugged: $((held / 1048576)) MiB; available: $left MiB"
[ "$held" -gt $((1024 * 1048576)) ] || fail "too little is unplugged"

round=0
given=0
while [ $round -lt 50 ]; do
	before=$(unplugged_bytes)
	eaten=$(eater $(($(available_mib) + 128)))
	[ "$eaten" = "fine=1 killed=0" ] || fail "round $round: $eaten"
	after=$(unplugged_bytes)
	[ "$after" -lt "$before" ] || fail "round $round: nothing was given back"
	given=$((given + before - after))
	memplugctl unplug $((before - after)) --quiet >/dev/null 2>&1 || true
	round=$((round + 1))
done
echo "given back in 50 rounds: $((given / 1048576)) MiB, in" \
	"$(status_value /counters/oom_events) pieces"
assert_eq "pages given back" "$(status_value /counters/oom_pages)" $((given / 4096))
assert_eq "OOM kills" "$(kills)" 0
kpf check /tmp/baseline

# as long as memplug holds any
eaten=$(eater 100000)
assert_eq "a program that wants it all" "$eaten" "fine=0 killed=1"
assert_eq "unplugged bytes" "$(unplugged_bytes)" 0
assert_eq "OOM kills" "$(kills)" 1
: >/tmp/over
wait "$reader"

# off: the kernel behaves as before
echo 0 >/sys/module/memplug/parameters/oom_give_back
memplugctl unplug 512M --quiet >/dev/null
eaten=$(eater $(($(available_mib) + 300)))
assert_eq "a program that wants too much" "$eaten" "fine=0 killed=1"
assert_eq "unplugged bytes" "$(unplugged_bytes)" $((512 * 1048576))
assert_eq "OOM kills" "$(kills)" 2
memplugctl plug --all --quiet >/dev/null
keeper stop hog
kpf check /tmp/baseline
