#!/bin/sh
# SPDX-License-Identifier: MIT
# A target: it moves along with a memory block that goes and comes, and with what requests do; down
# and up by 1 GiB while a program dirties 60 % of all memory, to the byte; it survives being set again
# and again; without one the worker leaves everything alone.
# lab: mem=6G
# lab: append=init_on_alloc=0
# lab: timeout=300
# lab: central=yes
# lab: needs=block-offlining
set -eu
. /lab/lib.sh

gib=1073741824
target_is() {
	[ "$(status_value /target_size)" = "$1" ]
}

reached() {
	[ "$(status_value /target_state)" = reached ]
}

kpf save /tmp/baseline
managed=$(managed_bytes)
assert_eq "target" "$(status_value /target_size)" null
assert_eq "state" "$(status_value /target_state)" none

# A memory block that goes and comes moves it by what of it is plugged. Before the load, which has the
# kernel put pages of its own into every block.
size=$((0x$(cat /sys/devices/system/memory/block_size_bytes)))
# The kernel may put a page into what was free a moment ago.
quarter_goes_offline() {
	memplugctl target none --quiet
	memplugctl plug --all --quiet >/dev/null
	block=$(find_block) || return 1
	memplugctl target $((managed - gib)) --wait --timeout $((30 * PLAN_SLOWNESS))s --quiet
	memplugctl unplug "$(printf '0x%x+%d' $((block * size)) $size)" --quiet >/dev/null || return 1
	before=$(($(status_value /target_size) + size * 3 / 4))
	memplugctl plug "$(printf '0x%x+%d' $((block * size + size / 4)) $((size * 3 / 4)))" --quiet \
		>/dev/null
	echo offline 2>/dev/null >/sys/devices/system/memory/memory"$block"/state
}
wait_for 20 quarter_goes_offline || fail "no memory block goes offline"
target_is $((before - size + size / 4)) || fail "memory that went did not move the target"
assert_eq "wanted" "$(status_value /wanted_size)" $((size / 4))
echo online_kernel >/sys/devices/system/memory/memory"$block"/state
target_is "$before" || fail "memory that came did not move the target back"
wait_for 10 reached || fail "it is not reached again"
assert_eq "wanted" "$(status_value /wanted_size)" 0
assert_eq "plugged" "$(status_value /plugged_size)" "$before"
memplugctl target none --quiet
memplugctl plug --all --quiet >/dev/null

requests=$(status_value /counters/unplug_requests)
dirtier $(($(memtotal_kb) * 6 / 10 / 1024)) >/tmp/passes &
load=$!
wait_for 120 grep -q filled /tmp/passes || fail "the load did not start"
for round in 1 2; do
	expect_status 0 memplugctl target $((managed - gib)) --wait --timeout $((60 * PLAN_SLOWNESS))s --json \
		>/tmp/down.json
	assert_eq "plugged" "$(status_value /plugged_size)" $((managed - gib))
	echo "round $round: down in $(json /tmp/down.json /elapsed_us) us," \
		"$(status_value /counters/pages_migrated) pages moved so far"
	kpf check /tmp/baseline
	expect_status 0 memplugctl target "$managed" --wait --timeout $((60 * PLAN_SLOWNESS))s --json \
		>/tmp/up.json
	assert_eq "plugged" "$(status_value /plugged_size)" "$managed"
	echo "round $round: up in $(json /tmp/up.json /elapsed_us) us"
	kpf check /tmp/baseline
done
assert_eq "requests of users" "$(status_value /counters/unplug_requests)" "$requests"
kill $load
expect_status 0 wait $load
cat /tmp/passes

# Requests move it by what they did, and the worker does not undo them.
memplugctl target $((managed - gib)) --wait --timeout $((30 * PLAN_SLOWNESS))s --quiet
memplugctl unplug 256M --quiet >/dev/null
target_is $((managed - gib - 268435456)) || fail "an unplug did not move the target"
memplugctl plug 128M --quiet >/dev/null
target_is $((managed - gib - 134217728)) || fail "a plug did not move the target"
sleep 1
assert_eq "plugged" "$(status_value /plugged_size)" $((managed - gib - 134217728))
memplugctl plug --all --quiet >/dev/null
target_is "$managed" || fail "plugging everything did not move the target"
sleep 1
assert_eq "unplugged" "$(unplugged_bytes)" 0

# The last one counts, however many were set.
for part in 1 2 3 4 5 6 7 8; do
	memplugctl target $((managed - part * 268435456)) --quiet
done
memplugctl target $((managed - 536870912)) --wait --timeout $((30 * PLAN_SLOWNESS))s --quiet
assert_eq "plugged" "$(status_value /plugged_size)" $((managed - 536870912))

memplugctl target none
assert_eq "target" "$(status_value /target_size)" null
memplugctl plug --all --quiet >/dev/null
sleep 1
assert_eq "unplugged" "$(unplugged_bytes)" 0
kpf check /tmp/baseline

# When "none" returns, the worker has stopped, also half-way: what is in flight takes too short for
# a script to meet it.
no_target 20 || fail "something landed after there was no target"
kpf check /tmp/baseline

# It ends with the module, also half-way.
memplugctl target $((managed - 2 * gib))
rmmod memplug
insmod /lab/memplug.ko
assert_eq "target of a new module" "$(status_value /target_size)" null
kpf check /tmp/baseline
