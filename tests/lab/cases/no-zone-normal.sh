#!/bin/sh
# SPDX-License-Identifier: MIT
# A guest with all memory below 4 GiB has no ZONE_NORMAL: the module loads and manages nothing, and
# the tool says why.
# lab: mem=2G
# lab: needs=low-memory
set -eu
. /lab/lib.sh

! grep -q 'zone *Normal' /proc/buddyinfo || fail "this guest has a ZONE_NORMAL"
memplugctl status --json >/tmp/status.json 2>/tmp/status.err
cat /tmp/status.err
for key in managed_size plugged_size unplugged_size; do
	assert_eq "$key" "$(json /tmp/status.json /$key)" 0
done
assert_eq "number of nodes" "$(jsonget --len /nodes </tmp/status.json)" 0
grep -q ZONE_NORMAL /tmp/status.err || fail "status does not say why nothing is managed"

memplugctl list
memplugctl plug --all

expect_status 1 memplugctl unplug 64M --json >/tmp/unplug.json 2>/tmp/unplug.err
cat /tmp/unplug.err
assert_eq "done_size" "$(json /tmp/unplug.json /done_size)" 0
assert_eq "shortfall" "$(json /tmp/unplug.json /shortfall)" 67108864
grep -q ZONE_NORMAL /tmp/unplug.err || fail "unplug does not say why nothing could be had"

expect_status 1 memplugctl unplug 0x10000000+64M --json >/tmp/range.json 2>/tmp/range.err
cat /tmp/range.err
assert_eq "errno" "$(json /tmp/range.json /error/errno)" ENXIO

expect_status 1 memplugctl doctor --json >/tmp/doctor.json
memplugctl doctor || :
assert_eq "memory" "$(json /tmp/doctor.json /checks/1/name) $(json /tmp/doctor.json /checks/1/verdict)" \
	"memory failed"
json /tmp/doctor.json /next | grep -q -- '-m 6G' || fail "doctor does not say what would help"
