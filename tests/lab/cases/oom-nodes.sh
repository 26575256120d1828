#!/bin/sh
# SPDX-License-Identifier: MIT
# Who is bound to one node, by a memory policy or by a cpuset, and runs out of memory there, gets back
# what is unplugged of that node; what is unplugged of the other would not help, and stays.
# lab: mem=6G
# lab: numa=2
# lab: module-args=oom_give_back=1 floor=0
# lab: append=init_on_alloc=0
# lab: timeout=240
# lab: expect-report=invoked oom-killer|Out of memory: Killed process \d+ \(eater\)
# lab: alone=yes
set -eu
. /lab/lib.sh

free_mib() {
	awk '/MemFree:/ { print int($4 / 1024) }' "/sys/devices/system/node/node$1/meminfo"
}

unplugged_of() {
	status_value "/nodes/$1/unplugged_size"
}

# judge WHAT BEFORE0 BEFORE1: after somebody bound to node 1 got what was given back.
judge() {
	assert_eq "$1: unplugged of node 0" "$(unplugged_of 0)" "$2"
	[ "$(unplugged_of 1)" -lt "$3" ] || fail "$1: nothing of node 1 was given back"
	assert_eq "$1: OOM kills" "$(awk '/^oom_kill / { print $2 }' /proc/vmstat)" 0
}

kpf save /tmp/baseline
memplugctl unplug 600M --node 0 --quiet
memplugctl unplug 1G --node 1 --quiet || [ $? -eq 64 ]
echo -1000 >/proc/$$/oom_score_adj

before0=$(unplugged_of 0)
before1=$(unplugged_of 1)
echo "unplugged: $((before0 >> 20)) and $((before1 >> 20)) MiB; free on node 1: $(free_mib 1) MiB"
assert_eq "a program bound to node 1" "$(eater --node 1 $(($(free_mib 1) + 200)))" "fine=1 killed=0"
judge "policy" "$before0" "$before1"

# The debug kernel has no cpusets.
if [ -e /proc/self/cpuset ]; then
	before1=$(unplugged_of 1)
	mkdir -p /tmp/groups
	mount -t cgroup2 none /tmp/groups
	echo +cpuset >/tmp/groups/cgroup.subtree_control
	mkdir /tmp/groups/one
	echo 1 >/tmp/groups/one/cpuset.mems
	# shellcheck disable=SC2016 # the inner shell's
	eaten=$(sh -c 'echo $$ >/tmp/groups/one/cgroup.procs; exec eater "$1"' sh \
		$(($(free_mib 1) + 200)))
	assert_eq "a program in a cpuset of node 1" "$eaten" "fine=1 killed=0"
	judge "cpuset" "$before0" "$before1"
fi

# When node 1 has nothing that is unplugged any more, the kernel kills as ever: the rest of node 0
# would not help.
memplugctl plug --all --node 1 --quiet
assert_eq "a program bound to node 1 that wants more than it has" \
	"$(eater --node 1 $(($(free_mib 1) + 700)))" "fine=0 killed=1"
assert_eq "at the end: unplugged of node 0" "$(unplugged_of 0)" "$before0"
# One that is bound to none gets it.
assert_eq "a program that is bound to none" \
	"$(eater $(($(free_mib 0) + $(free_mib 1) + 200)))" "fine=1 killed=0"
[ "$(unplugged_of 0)" -lt "$before0" ] || fail "nothing of node 0 was given back"
memplugctl plug --all --quiet
kpf check /tmp/baseline
