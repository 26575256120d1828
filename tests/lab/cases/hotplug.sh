#!/bin/sh
# SPDX-License-Identifier: MIT
# Memory hotplug through sysfs: a memory block with unplugged memory can't go offline; one without
# can, is not managed while it is gone, and is again when it is back in ZONE_NORMAL.
# lab: mem=6G
# lab: append=init_on_alloc=0
set -eu
. /lab/lib.sh

sysfs=/sys/devices/system/memory
block_size=$((0x$(cat $sysfs/block_size_bytes)))
total=$(memtotal_kb)
managed=$(managed_bytes)
kpf save /tmp/baseline

# set_state BLOCK STATE; a page that can't be moved makes the kernel try for ever, hence the limit.
set_state() {
	timeout -s INT 20 sh -c "echo $2 >$sysfs/memory$1/state"
}

range_of() {
	printf '0x%x+%d' $(($1 * block_size)) "$2"
}

memory_block=
for candidate in 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55; do
	# The block must be free of kernel pages, or nothing here would be memplug's doing.
	status=0
	memplugctl unplug "$(range_of "$candidate" "$block_size")" --exact --quiet >/dev/null || status=$?
	if [ "$status" -eq 0 ]; then
		memory_block=$candidate
		break
	fi
done
[ -n "$memory_block" ] || fail "no memory block could be unplugged whole"
echo "memory block $memory_block, $block_size bytes"

! set_state "$memory_block" offline 2>/tmp/veto || fail "a block that is unplugged went offline"
cat /tmp/veto
grep -q 'Device or resource busy' /tmp/veto || fail "it was refused for another reason"
memplugctl plug --all --quiet >/dev/null

memplugctl unplug "$(range_of "$memory_block" 4194304)"
! set_state "$memory_block" offline 2>/tmp/veto || fail "a block with one unplugged subblock went offline"
cat /tmp/veto
grep -q 'Device or resource busy' /tmp/veto || fail "it was refused for another reason"
assert_eq "state of the block" "$(cat $sysfs/memory$memory_block/state)" online
assert_eq "unplugged bytes" "$(unplugged_bytes)" 4194304
assert_eq "managed bytes" "$(managed_bytes)" "$managed"
kpf check /tmp/baseline
memplugctl plug --all --quiet >/dev/null

set_state "$memory_block" offline
assert_eq "managed bytes with a block offline" "$(managed_bytes)" $((managed - block_size))
expect_status 1 memplugctl unplug "$(range_of "$memory_block" 4194304)" --json \
	>/tmp/offline.json 2>/tmp/offline.err
cat /tmp/offline.err
assert_eq "errno for a range that is offline" "$(json /tmp/offline.json /error/errno)" ENXIO
grep -q offline /tmp/offline.err || fail "the tool does not say that the range is offline"
kpf save /tmp/offline
memplugctl unplug 512M --quiet >/dev/null
kpf check /tmp/offline
memplugctl plug --all --quiet >/dev/null

set_state "$memory_block" online_kernel
assert_eq "managed bytes with the block back" "$(managed_bytes)" "$managed"
assert_eq "MemTotal with the block back" "$(memtotal_kb)" "$total"
memplugctl unplug "$(range_of "$memory_block" "$block_size")" --exact
kpf check /tmp/baseline
memplugctl plug --all
kpf check /tmp/baseline
