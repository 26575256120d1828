#!/bin/sh
# SPDX-License-Identifier: MIT
# A survey that waits for memory hotplug when its caller is frozen goes on when he is thawed: the
# freezer is no signal.
# lab: mem=6G
# lab: append=init_on_alloc=0
# lab: timeout=180
# lab: needs=block-offlining
set -eu
. /lab/lib.sh

freezer=/tmp/freezer
mkdir $freezer
mount -t cgroup -o freezer freezer $freezer 2>/dev/null || skip "this kernel has no freezer of cgroup v1"
mkdir $freezer/one

mkdir -p /mnt
mount -t tmpfs -o size=4G tmpfs /mnt
sysfs=/sys/devices/system/memory
tries=0

# hang: a memory block is going offline and can't, as a page in it is pinned: that goes on until the
# writer, $offliner, is killed. 1: kernel memory is in that block, too, and it is refused at once;
# pages come from elsewhere next time.
hang() {
	stay spliced >/tmp/address &
	stayer=$!
	wait_for 30 test -s /tmp/address || fail "no pinned page"
	address=$(cat /tmp/address)
	block=$((address / 0x$(cat $sysfs/block_size_bytes)))
	sh -c "echo offline >$sysfs/memory$block/state" 2>/dev/null &
	offliner=$!
	sleep 1
	kill -0 "$offliner" 2>/dev/null && return
	kill "$stayer"
	wait "$stayer" 2>/dev/null || :
	rm /tmp/address
	tries=$((tries + 1))
	dd if=/dev/zero of=/mnt/$tries bs=1M count=256 2>/tmp/dd || fail "$(cat /tmp/dd)"
	return 1
}
wait_for 60 hang || fail "no memory block hangs while it is going offline"
# In another one.
other=0x140000000
[ "$block" != 40 ] || other=0x160000000

# in_ioctl: it is in an ioctl, 16.
in_ioctl() {
	[ "$(cut -d' ' -f1 /proc/"$surveyor"/syscall 2>/dev/null)" = 16 ]
}

# in_survey: and it stays there.
in_survey() {
	in_ioctl && sleep 0.5 && in_ioctl
}

survey_once $other >/tmp/told 2>&1 &
surveyor=$!
wait_for 60 in_survey || fail "no survey waits for memory hotplug"

is_frozen() {
	[ "$(cat $freezer/one/freezer.state)" = FROZEN ]
}

echo "$surveyor" >$freezer/one/cgroup.procs
echo FROZEN >$freezer/one/freezer.state
wait_for 20 is_frozen || fail "the caller does not freeze"
echo THAWED >$freezer/one/freezer.state
kill "$offliner"
wait "$offliner" 2>/dev/null || :
status=0
wait "$surveyor" || status=$?
cat /tmp/told
assert_eq "exit status of the survey" $status 0
kill "$stayer"
wait "$stayer" 2>/dev/null || :
