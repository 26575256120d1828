#!/bin/sh
# SPDX-License-Identifier: MIT
# --exact takes all or nothing: what can't be met is rolled back, and only what this request took.
# lab: mem=6G
# lab: append=init_on_alloc=0
# lab: central=yes
# lab: large=yes
set -eu
. /lab/lib.sh

kpf save /tmp/baseline
before=$(memtotal_kb)

memplugctl unplug 256M --exact
assert_eq "MemTotal after 256M --exact" "$(memtotal_kb)" $((before - 262144))
kept=$(memplugctl list --json)

expect_status 1 memplugctl unplug 100G --exact --json >/tmp/more.json
assert_eq "done_size" "$(json /tmp/more.json /done_size)" 0
assert_eq "shortfall" "$(json /tmp/more.json /shortfall)" 107374182400
assert_eq "number of ranges" "$(jsonget --len /ranges </tmp/more.json)" 0
echo "100G --exact: stopped by $(json /tmp/more.json /stopped_by)," \
	"$(json /tmp/more.json /elapsed_us) us"
assert_eq "the list after 100G --exact" "$(memplugctl list --json)" "$kept"
assert_eq "MemTotal after 100G --exact" "$(memtotal_kb)" $((before - 262144))
kpf check /tmp/baseline

# All of ZONE_NORMAL, by range: what is unplugged already makes it a part, kernel pages and the
# zone's own reserve are in the way of the rest.
expect_status 64 memplugctl unplug 0x100000000-0x1ffffffff --exact --json >/tmp/range.json
assert_eq "done_size of the range" "$(json /tmp/range.json /done_size)" 0
assert_eq "already_size of the range" "$(json /tmp/range.json /already_size)" 268435456
[ "$(jsonget --len /blocked </tmp/range.json)" -gt 0 ] || fail "no blocker is named"
echo "the range: stopped by $(json /tmp/range.json /stopped_by)," \
	"first blocked $(json /tmp/range.json /blocked/0)"
assert_eq "the list after the range" "$(memplugctl list --json)" "$kept"
assert_eq "MemTotal after the range" "$(memtotal_kb)" $((before - 262144))
kpf check /tmp/baseline

memplugctl plug --all
assert_eq "MemTotal after plug --all" "$(memtotal_kb)" "$before"
