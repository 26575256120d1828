#!/bin/sh
# SPDX-License-Identifier: MIT
# A page that memplug holds has a memory error, and its memory block leaves. If it stays the page stays
# held, whatever is wanted; if it goes and comes back, what has the page is in quarantine; and all
# accounts are right to the page, after each step.
# lab: mem=6G
# lab: max-mem=8G
# lab: qmp=yes
# lab: append=init_on_alloc=0
# lab: timeout=180
# lab: needs=memory-devices
set -eu
. /lab/lib.sh

poison=/sys/devices/system/memory/hard_offline_page
[ -e "$poison" ] || skip "this kernel has no $poison"
sysfs=/sys/devices/system/memory
obstruct=/sys/module/obstruct/parameters
block_size=$((0x$(cat $sysfs/block_size_bytes)))
size=$((512 << 20))
insmod /lab/obstruct.ko
# a block that is held up would keep the module
trap '! [ -e $obstruct ] || echo 0 >$obstruct/hold_up' EXIT
kpf save /tmp/baseline
managed=$(managed_bytes)
before=$(memtotal_kb)

# The memory can be taken away in the end, and its error with it.
is_managed() {
	[ "$(managed_bytes)" -eq "$1" ]
}
echo online_kernel >$sysfs/auto_online_blocks
qmp object-add "{\"qom-type\":\"memory-backend-ram\",\"id\":\"extra\",\"size\":$size}" >/dev/null
qmp device_add '{"driver":"pc-dimm","id":"dimm","memdev":"extra"}' >/dev/null
wait_for 20 is_managed $((managed + size)) || fail "the DIMM is not managed"
qmp query-memory-devices >/tmp/devices.json
start=$(json /tmp/devices.json /0/data/addr)
state=$sysfs/memory$((start / block_size))/state
total=$(memtotal_kb)
range=$(printf '0x%x+64M' "$start")
expect_status 0 memplugctl unplug "$range" --exact --quiet >/dev/null
bad=$((start + 9 * 1048576))
printf '0x%x' "$bad" >"$poison" || :
dmesg | grep "Memory failure: 0x$(printf '%x' $((bad / 4096)))" ||
	fail "the kernel did not see the memory error"

is_leaving() {
	[ "$(cat $obstruct/leaving)" = Y ]
}

begin_offline() {
	echo 1 >$obstruct/hold_up
	sh -c "echo offline >$state" 2>/dev/null &
	offliner=$!
	wait_for 20 is_leaving || fail "the block does not leave"
}

# Refused, and nothing of it is wanted any more: all is given back but what has the page.
begin_offline
memplugctl plug --all --quiet 2>/dev/null || :
assert_eq "wanted bytes" "$(status_value /wanted_size)" 0
echo 1 >$obstruct/refuse
echo 0 >$obstruct/hold_up
! wait $offliner || fail "the block went"
echo 0 >$obstruct/refuse
assert_eq "unplugged bytes when the block stayed" "$(unplugged_bytes)" 4194304
assert_eq "MemTotal when the block stayed" "$(memtotal_kb)" $((total - 4096))
expect_status 1 memplugctl plug --all --json >/tmp/plug.json 2>/dev/null
assert_eq "why it is not plugged" "$(json /tmp/plug.json /blocked/0/reason)" hwpoison

# It goes, with others that are unplugged.
memplugctl unplug "$range" --quiet >/dev/null 2>&1 || :
assert_eq "unplugged bytes" "$(unplugged_bytes)" 67108864
echo offline >"$state"
assert_eq "MemTotal without the block" "$(memtotal_kb)" $((total - block_size / 1024))
assert_eq "wanted bytes" "$(status_value /wanted_size)" 67108864
memplugctl quarantine list --json >/tmp/list.json
assert_eq "what is to be kept out" "$(json /tmp/list.json /wanted_size)" 4194304

# It comes back, where the kernel lets it.
is_nothing_wanted() {
	[ "$(status_value /wanted_size)" -eq 0 ]
}
if echo online_kernel >"$state"; then
	memplugctl quarantine list --json >/tmp/list.json
	assert_eq "what is kept out" "$(json /tmp/list.json /out_size)" 4194304
	wait_for 20 is_nothing_wanted || fail "what was wanted is not unplugged again"
	expect_status 0 memplugctl plug --all --quiet
	assert_eq "unplugged bytes after plug --all" "$(unplugged_bytes)" 4194304
	assert_eq "MemTotal after plug --all" "$(memtotal_kb)" $((total - 4096))
	kernel="takes the block back"
else
	kernel="refuses to take the block back"
fi
echo "the kernel $kernel"

# The memory is removed, and nothing is kept out of it any more.
no_memory_devices() {
	[ "$(qmp query-memory-devices)" = "[]" ]
}
qmp device_del '{"id":"dimm"}' >/dev/null
wait_for 20 no_memory_devices || fail "the DIMM is still there"
qmp object-del '{"id":"extra"}' >/dev/null
wait_for 10 is_nothing_wanted || fail "memory that is gone is wanted"
assert_eq "MemTotal without the DIMM" "$(memtotal_kb)" "$before"
kpf check /tmp/baseline
