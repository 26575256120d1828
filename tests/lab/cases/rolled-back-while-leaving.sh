#!/bin/sh
# SPDX-License-Identifier: MIT
# All or nothing leaves nothing behind: a request that has to give back what it took, while the memory
# block of that is on its way offline, leaves it neither unplugged nor wanted: not when the block stays,
# and not when it has gone and comes back.
# lab: mem=6G
# lab: timeout=180
# lab: needs=block-offlining
set -eu
. /lab/lib.sh

sysfs=/sys/devices/system/memory
obstruct=/sys/module/obstruct/parameters
size=$((0x$(cat $sysfs/block_size_bytes)))
insmod /lab/obstruct.ko
# a block that is held up would keep the module
trap '! [ -e $obstruct ] || echo 0 >$obstruct/hold_up' EXIT
kpf save /tmp/baseline

# Three blocks that can be unplugged whole. A request for them takes the highest first, which is $block.
find_blocks() {
	for block in $(seq 76 -1 42); do
		range=$(printf '0x%x+%d' $(((block - 2) * size)) $((3 * size)))
		memplugctl unplug "$range" --exact --quiet >/dev/null 2>&1 || continue
		memplugctl plug --all --quiet >/dev/null
		return
	done
	fail "no three memory blocks can be unplugged whole"
}

wanted() {
	status_value /wanted_size
}

has_taken_some() {
	[ "$(unplugged_bytes)" -ge $((size / 2)) ]
}

has_ended() {
	! kill -0 "$offliner" 2>/dev/null
}

is_leaving_or_refused() {
	[ "$(cat $obstruct/leaving)" = Y ] || has_ended
}

# begin: a request has taken some of the highest block, and this is on its way offline. As long as it
# is, the request can't go on, and gives all back when its time is over. 1: it was done before.
begin() {
	echo 1 >$obstruct/hold_up
	memplugctl unplug "$range" --exact --timeout 8s --json >/tmp/result.json 2>/dev/null &
	request=$!
	wait_for 20 has_taken_some || fail "the request takes nothing"
	sh -c "echo offline >$sysfs/memory$block/state" 2>/dev/null &
	offliner=$!
	wait_for 20 is_leaving_or_refused || fail "the block neither leaves nor is refused"
	taken=$(wanted)
	[ "$taken" -gt 0 ] && kill -0 "$request" && return
	echo 0 >$obstruct/hold_up
	wait "$offliner" || :
	wait "$request" || :
	memplugctl plug --all --quiet >/dev/null
	echo online_kernel >$sysfs/memory"$block"/state 2>/dev/null || :
	return 1
}

# end STATE: that is what becomes of the block.
end() {
	echo 0 >$obstruct/hold_up
	wait "$offliner" || :
	assert_eq "state of the block" "$(cat $sysfs/memory"$block"/state)" "$1"
}

assert_all_given_back() {
	wait "$request" || :
	assert_eq "done_size" "$(json /tmp/result.json /done_size)" 0
	assert_eq "stopped_by" "$(json /tmp/result.json /stopped_by)" "$1"
	assert_eq "wanted bytes, of $taken that were taken" "$(wanted)" 0
}

# Neither now nor later on.
assert_nothing_unplugged() {
	! wait_for 2 has_taken_some || fail "$(unplugged_bytes) bytes are unplugged"
	assert_eq "unplugged bytes" "$(unplugged_bytes)" 0
	assert_eq "wanted bytes" "$(wanted)" 0
	kpf check /tmp/baseline
}

find_blocks
wait_for 60 begin || fail "no request is in the middle when its block leaves"
assert_all_given_back timeout
echo 1 >$obstruct/refuse
end online
echo 0 >$obstruct/refuse
assert_nothing_unplugged
echo "given back while the block left, which stayed: $taken bytes"

wait_for 60 begin || fail "no request is in the middle when its block leaves"
assert_all_given_back timeout
end offline
echo online_kernel >$sysfs/memory"$block"/state
assert_nothing_unplugged
echo "given back while the block left, which went and came back: $taken bytes"
