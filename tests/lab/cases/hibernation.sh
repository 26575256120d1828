#!/bin/sh
# SPDX-License-Identifier: MIT
# Hibernation would lose what is unplugged: it is refused early while anything is, with a line that
# says what to do, and allowed when nothing is. Nothing is claimed while the machine is on its way.
# lab: mem=5G
# lab: append=init_on_alloc=0
# lab: needs=block-offlining,sleep-states
set -eu
. /lab/lib.sh

# Tries all of it up to the freezing of tasks, and comes back.
hibernate() {
	echo disk >/sys/power/state
}

echo freezer >/sys/power/pm_test || skip "this kernel has no pm_test"
# It waits for so many seconds before it comes back.
echo 1 >/sys/module/suspend/parameters/pm_test_delay
# is_refused WHY: hibernating is, and the kernel log tells this reason.
is_refused() {
	dmesg -c >/dev/null
	! hibernate 2>/tmp/refused || fail "it hibernates; unplugged now: $(unplugged_bytes)"
	cat /tmp/refused
	grep -q 'Device or resource busy' /tmp/refused || fail "it was refused for another reason"
	dmesg | grep "memplug: no hibernation $1" || fail "the kernel log does not say why: $1"
}

kpf save /tmp/baseline
expect_status 0 hibernate
memplugctl unplug 64M --quiet >/dev/null
is_refused 'while 64 MiB are unplugged: .*plug --all'
! dmesg | grep -q 'Freezing user space' || fail "tasks were frozen before it was refused"
assert_eq "unplugged bytes" "$(unplugged_bytes)" 67108864
kpf check /tmp/baseline
# A refusal leaves nothing behind that would keep requests out.
memplugctl unplug 64M --timeout 10s --quiet >/dev/null
memplugctl plug --all --quiet >/dev/null

# What is leaving may stay, and be unplugged again: refused as well.
insmod /lab/obstruct.ko
obstruct=/sys/module/obstruct/parameters
# a block that is held up would keep the module
trap '! [ -e $obstruct ] || echo 0 >$obstruct/hold_up' EXIT
sysfs=/sys/devices/system/memory
is_leaving() {
	[ "$(cat $obstruct/leaving)" = Y ]
}
block=$(find_block)
memplugctl unplug "$(printf '0x%x+8M' $((block * 0x$(cat $sysfs/block_size_bytes))))" --quiet >/dev/null
echo 1 >$obstruct/hold_up
sh -c "echo offline >$sysfs/memory$block/state" &
offliner=$!
wait_for 20 is_leaving || fail "the block does not leave"
assert_eq "unplugged bytes while the block leaves" "$(unplugged_bytes)" 0
is_refused 'while a memory block comes or goes'
is_leaving || fail "the block has stopped leaving"
echo 0 >$obstruct/hold_up
wait $offliner || fail "the block does not go offline"
memplugctl plug --all --quiet >/dev/null
expect_status 0 hibernate
echo online_kernel >$sysfs/memory"$block"/state
rmmod obstruct
kpf check /tmp/baseline

# A request that runs meanwhile waits, and goes on.
memplugctl unplug 2G --json >/tmp/result.json 2>/dev/null &
request=$!
hibernated=0
refused=0
while [ $hibernated -lt 3 ] && kill -0 $request 2>/dev/null; do
	if hibernate 2>/dev/null; then
		hibernated=$((hibernated + 1))
	else
		refused=$((refused + 1))
	fi
done
wait $request
echo "while it ran: hibernated $hibernated times, refused $refused"
assert_eq "shortfall" "$(json /tmp/result.json /shortfall)" 0
assert_eq "stopped_by" "$(json /tmp/result.json /stopped_by)" null
memplugctl plug --all --quiet >/dev/null
expect_status 0 hibernate
kpf check /tmp/baseline
