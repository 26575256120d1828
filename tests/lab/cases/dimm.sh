#!/bin/sh
# SPDX-License-Identifier: MIT
# A DIMM that is added becomes managed; it can be removed while half of it is unplugged, and what
# was unplugged there is forgotten.
# lab: mem=6G
# lab: max-mem=8G
# lab: qmp=yes
# lab: append=init_on_alloc=0
# lab: needs=memory-devices
set -eu
. /lab/lib.sh

sysfs=/sys/devices/system/memory
size=$((512 << 20))
kpf save /tmp/baseline
managed=$(managed_bytes)
total=$(memtotal_kb)
memory_blocks() {
	find $sysfs -maxdepth 1 -name 'memory[0-9]*' | wc -l
}
blocks=$(memory_blocks)
echo online_kernel >$sysfs/auto_online_blocks

is_managed() {
	[ "$(managed_bytes)" -eq "$1" ]
}

add_dimm() {
	qmp object-add "{\"qom-type\":\"memory-backend-ram\",\"id\":\"extra\",\"size\":$size}" >/dev/null
	qmp device_add '{"driver":"pc-dimm","id":"dimm","memdev":"extra"}' >/dev/null
	wait_for 20 is_managed $((managed + size)) || fail "the DIMM is not managed: $(managed_bytes) bytes"
	assert_eq "MemTotal with the DIMM" "$(memtotal_kb)" $((total + size / 1024))
	assert_eq "unplugged" "$(unplugged_bytes)" 0
	qmp query-memory-devices >/tmp/devices.json
	start=$(json /tmp/devices.json /0/data/addr)
}

no_memory_devices() {
	[ "$(qmp query-memory-devices)" = "[]" ]
}

is_nothing_wanted() {
	[ "$(status_value /wanted_size)" -eq 0 ]
}

remove_dimm() {
	qmp device_del '{"id":"dimm"}' >/dev/null
	wait_for 20 no_memory_devices || fail "the DIMM is still there"
	qmp object-del '{"id":"extra"}' >/dev/null
	assert_eq "memory blocks without the DIMM" "$(memory_blocks)" "$blocks"
	assert_eq "managed bytes without the DIMM" "$(managed_bytes)" "$managed"
	assert_eq "MemTotal without the DIMM" "$(memtotal_kb)" "$total"
	assert_eq "unplugged without the DIMM" "$(unplugged_bytes)" 0
	wait_for 10 is_nothing_wanted ||
		fail "$(status_value /wanted_size) bytes are wanted of memory that is gone"
	kpf check /tmp/baseline
}

add_dimm
echo "the DIMM is at $(printf '0x%x' "$start")"
kpf save /tmp/with-dimm
# Half of it, from within one memory block to within another.
range=$(printf '0x%x+%d' $((start + size / 2 - (64 << 20))) $((size / 2)))
expect_status 0 memplugctl unplug "$range"
assert_eq "MemTotal with half of the DIMM" "$(memtotal_kb)" $((total + size / 2048))
kpf check /tmp/with-dimm
remove_dimm

# Another one in its place is new memory: nothing of it is to be unplugged.
add_dimm
kpf check /tmp/with-dimm
expect_status 0 memplugctl unplug "$range" --quiet >/dev/null
memplugctl plug "$range" --quiet >/dev/null
kpf check /tmp/with-dimm
remove_dimm
