#!/bin/sh
# SPDX-License-Identifier: MIT
# The module is unloaded, and gives all back, when a memory block of that begins to leave; and it stays
# at last. What was leaving in the moment in which the module looked is not forgotten, and stays out of
# use for nobody: also when the block is refused again and again.
# lab: mem=6G
# lab: module=none
# lab: append=init_on_alloc=0
# lab: timeout=180
# lab: needs=block-offlining
set -eu
. /lab/lib.sh

obstruct=/sys/module/obstruct/parameters
size=$((0x$(cat /sys/devices/system/memory/block_size_bytes)))
total=$(memtotal_kb)
insmod /lab/obstruct.ko
insmod /lab/memplug.ko
kpf save /tmp/baseline
block=$(find_block)
state=/sys/devices/system/memory/memory$block/state
range=$(printf '0x%x+%d' $((block * size)) "$size")
echo 1 >$obstruct/refuse

is_giving_back() {
	[ "$(cat $obstruct/looks)" -gt 2 ]
}

# On a CPU that somebody else has most of the time: so it rests between two subblocks, not in the middle.
slow_rmmod() {
	taskset 1 sh -c 'while :; do :; done' &
	hog=$!
	# shellcheck disable=SC2016  # the new shell's own
	sh -c 'renice -n 10 -p $$ && exec taskset 1 /usr/sbin/rmmod memplug' &
	unloader=$!
}

# unload MS: the block begins to leave between two subblocks that are given back, and takes as long as
# that for each of the rest.
unload() {
	memplugctl unplug "$range" --exact --quiet >/dev/null
	echo "$1" >$obstruct/slow
	slow_rmmod
	wait_for 20 is_giving_back || fail "it gives nothing back"
	tries=0
	while kill -0 $unloader 2>/dev/null; do
		! taskset 2 sh -c "echo offline >$state" 2>/dev/null || fail "the block went"
		tries=$((tries + 1))
	done
	kill $hog
	wait $unloader || fail "the module was not unloaded"
	echo 0 >$obstruct/slow
	echo "with $1 ms: the block was refused $tries times"
	assert_eq "state of the block" "$(cat "$state")" online
	assert_eq "MemTotal without the module" "$(memtotal_kb)" "$total"
	insmod /lab/memplug.ko
	kpf check /tmp/baseline
}

for slowness in 50 20; do
	unload $slowness
done
