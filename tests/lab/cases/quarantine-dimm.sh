#!/bin/sh
# SPDX-License-Identifier: MIT
# A DIMM with a bad page goes and comes back: the page that the file has is out of use again, by the
# rule of udev in contrib/, without anybody's doing.
# lab: mem=6G
# lab: max-mem=8G
# lab: qmp=yes
# lab: timeout=300
# lab: system=yes
# lab: module=none
# lab: files=contrib
# lab: needs=memory-devices
set -eu
. /lab/lib.sh

size=$((512 << 20))
cp /lab/contrib/memplug-quarantine.service /etc/systemd/system/
cp /lab/contrib/61-memplug-quarantine.rules /etc/udev/rules.d/
systemctl daemon-reload
systemctl enable memplug-quarantine.service
udevadm control --reload
echo online_kernel >/sys/devices/system/memory/auto_online_blocks
modprobe memplug
managed=$(managed_bytes)
total=$(memtotal_kb)

is_managed() {
	[ "$(managed_bytes)" -eq "$1" ]
}

add_dimm() {
	qmp object-add "{\"qom-type\":\"memory-backend-ram\",\"id\":\"extra\",\"size\":$size}" >/dev/null
	qmp device_add '{"driver":"pc-dimm","id":"dimm","memdev":"extra"}' >/dev/null
	wait_for 30 is_managed $((managed + size)) || fail "the DIMM is not managed"
	qmp query-memory-devices >/tmp/devices.json
	json /tmp/devices.json /0/data/addr
}

no_memory_devices() {
	[ "$(qmp query-memory-devices)" = "[]" ]
}

quarantined() {
	memplugctl quarantine list --json --quiet | jsonget /out_size
}

is_quarantined() {
	[ "$(quarantined)" = "$1" ]
}

is_forgotten() {
	is_quarantined 0 &&
		[ "$(memplugctl quarantine list --json --quiet | jsonget /wanted_size)" = 0 ]
}

start=$(add_dimm)
page=$(printf '0x%x+4K' $((start + (64 << 20) + 0x5000)))
memplugctl quarantine add "$page"
assert_eq "out of use" "$(quarantined)" 4194304

qmp device_del '{"id":"dimm"}' >/dev/null
wait_for 30 no_memory_devices || fail "the DIMM is still there"
qmp object-del '{"id":"extra"}' >/dev/null
# Else it would be the module that has remembered.
wait_for 30 is_forgotten || fail "the module still has it in quarantine"

assert_eq "where the DIMM is" "$(add_dimm)" "$start"
wait_for 60 is_quarantined 4194304 ||
	fail "not out of use again: $(systemctl status --no-pager -l memplug-quarantine.service 2>&1)"
assert_eq "unplugged" "$(unplugged_bytes)" 4194304
memplugctl quarantine list

memplugctl quarantine remove --all
qmp device_del '{"id":"dimm"}' >/dev/null
wait_for 30 no_memory_devices || fail "the DIMM is still there at the end"
assert_eq "MemTotal" "$(memtotal_kb)" "$total"
