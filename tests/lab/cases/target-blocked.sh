#!/bin/sh
# SPDX-License-Identifier: MIT
# What the kernel's own pages keep from being taken, a target or wanted memory, is tried all along
# and at little cost; it is told, and had soon after these pages have gone.
# lab: mem=4G
# lab: module-args=floor=16M
# lab: append=init_on_alloc=0
# lab: timeout=150
# lab: alone=yes
# lab: needs=block-offlining
set -eu
. /lab/lib.sh

sysfs=/sys/devices/system/memory
floor=/sys/module/memplug/parameters/floor

# Ticks of CPU time, of which a second has 100, that the module's thread has used.
thread_ticks() {
	awk '{ print $14 + $15 }' /proc/"$(pidof memplug-target)"/stat
}

# share_of_cpu WHAT: what the thread uses in 5 s is to be far less than a CPU.
share_of_cpu() {
	ticks=$(thread_ticks)
	# Changes in the books wake it; none of them is a reason to try what has to wait.
	for _ in 1 2 3 4 5; do
		sleep 1
		! memplugctl unplug 4M --quiet >/dev/null 2>&1 ||
			memplugctl plug 4M --quiet >/dev/null
	done
	used=$(($(thread_ticks) - ticks))
	echo "$1: $used of 500 ticks"
	[ $used -le 100 ] || fail "it tries all the time"
}

state_is() {
	[ "$(status_value /target_state)" = "$1" ]
}

wanted_is() {
	[ "$(status_value /wanted_size)" = "$1" ]
}

kpf save /tmp/baseline
managed=$(managed_bytes)
block=$(find_block)
size=$((0x$(cat $sysfs/block_size_bytes)))
range=$(printf '0x%x+%d' $((block * size)) $size)

# Wanted memory: in the time in which the floor lets nothing be taken, pages get into the way.
memplugctl unplug "$range" --exact --quiet >/dev/null
echo offline >$sysfs/memory"$block"/state
echo 100G >$floor
echo online_kernel >$sysfs/memory"$block"/state
share_of_cpu "the floor is in the way"
assert_eq "wanted" "$(status_value /wanted_size)" "$size"
insmod /lab/sprinkle.ko seed=0
echo 16M >$floor
taken() {
	[ "$(unplugged_bytes)" -ge $((size / 4)) ]
}
wait_for 10 taken || fail "what can be had of it is not taken"
share_of_cpu "pages are in the way"
wanted=$(status_value /wanted_size)
echo "wanted: $wanted bytes, unplugged: $(unplugged_bytes)"
[ "$wanted" -ge $((size / 4)) ] || fail "nothing was in the way"
assert_eq "wanted and unplugged" $((wanted + $(unplugged_bytes))) "$size"
kpf check /tmp/baseline
rmmod sprinkle
wait_for 15 wanted_is 0 || fail "it is not taken when the pages have gone"
assert_eq "unplugged" "$(unplugged_bytes)" "$size"
memplugctl plug --all --quiet >/dev/null

# A target below what can be had. A debug kernel has reserved a third of it.
part=$((managed / (PLAN_SLOWNESS > 1 ? 8 : 4)))
insmod /lab/sprinkle.ko seed=0
expect_status 64 memplugctl target 0 --wait --timeout $((10 * PLAN_SLOWNESS))s --json \
	>/tmp/target.json 2>/tmp/target.err
cat /tmp/target.err
assert_eq "stopped_by" "$(json /tmp/target.json /stopped_by)" timeout
assert_eq "state" "$(json /tmp/target.json /state)" blocked
share_of_cpu "a target out of reach"
before=$(unplugged_bytes)
echo "unplugged: $before bytes"
[ "$before" -ge $part ] || fail "what can be had is not taken"
kpf check /tmp/baseline
rmmod sprinkle
more() {
	[ "$(unplugged_bytes)" -ge $((before + part)) ]
}
wait_for 15 more || fail "it does not go on when the pages have gone"
state_is blocked || state_is working || fail "the state is $(status_value /target_state)"
memplugctl target none
memplugctl plug --all --quiet >/dev/null
kpf check /tmp/baseline
