#!/bin/sh
# SPDX-License-Identifier: MIT
# By size and by range: LIST, KPF_OFFLINE, MemTotal and the zone's managed count agree to the page
# at every step, and after plug --all they are where they began.
# lab: mem=6G
# lab: central=yes
# lab: large=yes
set -eu
. /lab/lib.sh

kpf save /tmp/baseline
before=$(memtotal_kb)

memplugctl unplug 512M
assert_eq "MemTotal after unplug 512M" "$(memtotal_kb)" $((before - 524288))
kpf check /tmp/baseline

# A range that is known to be free: one that could be had a moment ago.
memplugctl unplug --contiguous 128M --json >/tmp/room.json
range=$(json /tmp/room.json /ranges/0/range)
memplugctl plug "$range"
assert_eq "MemTotal after plugging $range" "$(memtotal_kb)" $((before - 524288))
kpf check /tmp/baseline

memplugctl unplug "$range" --json >/tmp/range.json
assert_eq "the range that was unplugged" "$(json /tmp/range.json /ranges/0/range)" "$range"
assert_eq "MemTotal after unplug $range" "$(memtotal_kb)" $((before - 655360))
kpf check /tmp/baseline
memplugctl list

memplugctl plug 128M
assert_eq "MemTotal after plug 128M" "$(memtotal_kb)" $((before - 524288))
kpf check /tmp/baseline

memplugctl plug --all
assert_eq "MemTotal after plug --all" "$(memtotal_kb)" "$before"
assert_eq "unplugged bytes" "$(unplugged_bytes)" 0
kpf check /tmp/baseline
