#!/bin/sh
# SPDX-License-Identifier: MIT
# Memory hotplug through sysfs. A memory block with unplugged memory goes offline; what was unplugged
# is wanted then, and is unplugged again when the block is back in ZONE_NORMAL. In ZONE_MOVABLE it is
# told, and not touched. Whoever plugs everything wants nothing any more, and so does the end of the
# module. A page that somebody else holds a reference to keeps the block.
# lab: mem=6G
# lab: append=init_on_alloc=0
# lab: leaks=yes
# lab: needs=block-offlining
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

wanted_is() {
	[ "$(status_value /wanted_size)" = "$1" ]
}

memory_block=$(find_block)
echo "memory block $memory_block, $block_size bytes"

# offline, nothing unplugged
set_state "$memory_block" offline
assert_eq "managed bytes with a block offline" "$(managed_bytes)" $((managed - block_size))
assert_eq "wanted bytes" "$(status_value /wanted_size)" 0
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
kpf check /tmp/baseline

# offline, part of it unplugged; what is unplugged elsewhere stays so
memplugctl unplug "$(range_of "$memory_block" 8388608)" --quiet >/dev/null
memplugctl unplug "$(range_of $((memory_block + 1)) 4194304)" --quiet >/dev/null
requests=$(status_value /counters/unplug_requests)
set_state "$memory_block" offline
assert_eq "wanted bytes" "$(status_value /wanted_size)" 8388608
assert_eq "unplugged bytes" "$(unplugged_bytes)" 4194304
set_state "$memory_block" online_kernel
wait_for 10 wanted_is 0 || fail "what was wanted did not come back"
assert_eq "unplugged bytes" "$(unplugged_bytes)" 12582912
assert_eq "requests that users made since" "$(status_value /counters/unplug_requests)" "$requests"
kpf check /tmp/baseline

# back in ZONE_MOVABLE: told, not touched
set_state "$memory_block" offline
set_state "$memory_block" online_movable
sleep 1
assert_eq "wanted bytes" "$(status_value /wanted_size)" 8388608
assert_eq "wanted in another zone" "$(status_value /wanted_other_zone_size)" 8388608
assert_eq "unplugged bytes" "$(unplugged_bytes)" 4194304
assert_eq "managed bytes" "$(managed_bytes)" $((managed - block_size))
memplugctl status >/dev/null 2>/tmp/status.err
cat /tmp/status.err
grep -q ZONE_MOVABLE /tmp/status.err || fail "the tool does not tell of the other zone"
dmesg | grep 'memplug: .*back in a zone where nothing is taken' ||
	fail "the kernel log does not tell of it"
set_state "$memory_block" offline
assert_eq "wanted in another zone" "$(status_value /wanted_other_zone_size)" 0

# who plugs everything wants nothing any more
memplugctl plug --all
assert_eq "wanted bytes" "$(status_value /wanted_size)" 0
set_state "$memory_block" online_kernel
sleep 1
assert_eq "unplugged bytes" "$(unplugged_bytes)" 0
kpf check /tmp/baseline

# a page that somebody else holds a reference to
insmod /lab/obstruct.ko
memplugctl unplug "$(range_of "$memory_block" "$block_size")" --exact --quiet >/dev/null
page=$((memory_block * block_size / 4096 + 5000))
echo $page >/sys/module/obstruct/parameters/hold
! set_state "$memory_block" offline 2>/tmp/veto || fail "a block with a page in use went offline"
cat /tmp/veto
grep -q 'Device or resource busy' /tmp/veto || fail "it was refused for another reason"
assert_eq "unplugged bytes" "$(unplugged_bytes)" "$block_size"
kpf check /tmp/baseline
echo 0 >/sys/module/obstruct/parameters/hold
set_state "$memory_block" offline
rmmod obstruct

# the end of the module: nothing is wanted when it is loaded again
rmmod memplug
set_state "$memory_block" online_kernel
assert_eq "MemTotal without the module" "$(memtotal_kb)" "$total"
insmod /lab/memplug.ko
sleep 1
assert_eq "unplugged bytes" "$(unplugged_bytes)" 0
assert_eq "managed bytes" "$(managed_bytes)" "$managed"
kpf check /tmp/baseline
