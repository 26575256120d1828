#!/bin/sh
# SPDX-License-Identifier: MIT
# A large subblock takes long, and holds nobody up for all of that time: its claim ends between two
# pieces if nobody wants it any more, or a memory block has to go, and gives back what it had; and
# whoever gives it back lets others run.
# lab: mem=6G
# lab: module-args=subblock_size=128M
# lab: append=init_on_alloc=1 preempt=voluntary
# lab: timeout=180
# lab: needs=block-offlining
set -eu
. /lab/lib.sh

tracing=/sys/kernel/tracing
[ -d $tracing/events ] || mount -t tracefs tracefs $tracing 2>/dev/null ||
	skip "this kernel has no tracing"
before=$(memtotal_kb)
kpf save /tmp/baseline

has_ended_with() {
	grep -q " memplug_claim: .* result=$1 " $tracing/trace
}

all_is_back() {
	memplugctl plug --all --quiet >/dev/null
	kpf check /tmp/baseline
	assert_eq "MemTotal" "$(memtotal_kb)" "$before"
}

echo 1 >$tracing/events/memplug/memplug_claim/enable
milliseconds=0
ends_half_way() {
	milliseconds=$((milliseconds % 200 + 10))
	memplugctl unplug 2G --timeout ${milliseconds}ms --quiet >/dev/null 2>&1 || :
	memplugctl plug --all --quiet >/dev/null
	has_ended_with -125
}
wait_for 60 ends_half_way || fail "no claim ended when its request was over"
all_is_back

# A block that comes and goes: each event waits for what keeps memory hotplug out. Where a page is in
# the way that may be moved at last the kernel tries without end, and requests wait for that.
block=$(find_block)
state=/sys/devices/system/memory/memory$block/state
(
	until [ -e /tmp/enough ]; do
		timeout 5 sh -c "echo offline >$state" 2>/dev/null || :
		echo online_kernel 2>/dev/null >"$state" || :
	done
) &
hotplug=$!
makes_room() {
	memplugctl unplug 2G --within 0x100000000-0x17fffffff --quiet >/dev/null 2>&1 || :
	memplugctl plug --all --quiet >/dev/null
	has_ended_with -11
}
wait_for 60 makes_room || fail "no claim made room for memory hotplug"
# Whoever makes room again and again gets there all the same, also with one run.
for how in "" --contiguous; do
	# shellcheck disable=SC2086  # no word, if it is empty
	expect_status 0 timeout $((60 * PLAN_SLOWNESS)) \
		memplugctl unplug 1G --within 0x140000000-0x1ffffffff $how --quiet >/dev/null
	memplugctl plug --all --quiet >/dev/null
done
touch /tmp/enough
wait $hotplug
assert_eq "state of the block" "$(cat "$state")" online
all_is_back
echo 0 >$tracing/events/memplug/memplug_claim/enable

# Beside somebody else on the same CPU, and with no other place to rest than the kernel's own.
echo 1 >$tracing/events/memplug/memplug_release/enable
echo 1 >$tracing/events/memplug/memplug_request_end/enable
echo 1 >$tracing/events/sched/sched_switch/enable
taskset 1 sh -c 'while :; do :; done' &
hog=$!
# Between the beginning of a release and the end of its request.
lets_others_run() {
	memplugctl unplug 128M --quiet >/dev/null
	echo >$tracing/trace
	taskset 1 memplugctl plug --all --quiet >/dev/null
	awk '/memplugctl-.* memplug_release:/ { inside = 1 }
		/memplugctl-.* memplug_request_end:/ { inside = 0 }
		inside && /sched_switch: prev_comm=memplugctl .*prev_state=R/ { rests++ }
		END { print rests + 0; exit !rests }' $tracing/trace >/tmp/rests
}
wait_for 60 lets_others_run || fail "who gives a large subblock back lets nobody run"
echo "others ran $(cat /tmp/rests) times while 128M were given back"
kill $hog
all_is_back
