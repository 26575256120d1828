#!/bin/sh
# SPDX-License-Identifier: MIT
# --contiguous gives one run, aligned as asked, or changes nothing at all.
# lab: mem=6G
# lab: central=yes
# lab: large=yes
set -eu
. /lab/lib.sh

kpf save /tmp/baseline
before=$(memtotal_kb)

memplugctl unplug 1G --contiguous --align 1G --json >/tmp/one.json
assert_eq "number of ranges" "$(jsonget --len /ranges </tmp/one.json)" 1
assert_eq "size of the range" "$(json /tmp/one.json /ranges/0/size)" 1073741824
start=$(json /tmp/one.json /ranges/0/start)
assert_eq "start modulo 1 GiB" $((start % 1073741824)) 0
assert_eq "MemTotal" "$(memtotal_kb)" $((before - 1048576))
echo "$(json /tmp/one.json /ranges/0/range) in $(json /tmp/one.json /elapsed_us) us," \
	"$(json /tmp/one.json /pages_migrated) pages moved"
kpf check /tmp/baseline

generation=$(memplugctl list --json)
expect_status 1 memplugctl unplug 4G --contiguous --json >/tmp/big.json
assert_eq "done_size of a run that is too long" "$(json /tmp/big.json /done_size)" 0
assert_eq "stopped_by" "$(json /tmp/big.json /stopped_by)" exhausted
assert_eq "the list" "$(memplugctl list --json)" "$generation"
assert_eq "MemTotal" "$(memtotal_kb)" $((before - 1048576))
kpf check /tmp/baseline

# Without a multiple of 2 GiB that is free, 2 GiB aligned to 2 GiB can't be had either.
expect_status 1 memplugctl unplug 128M --contiguous --align 16G --json >/tmp/align.json
assert_eq "done_size of an alignment that no address has" "$(json /tmp/align.json /done_size)" 0
kpf check /tmp/baseline

# A floor that leaves room for the run or not; what is written to it can be read.
floor=/sys/module/memplug/parameters/floor
echo 64G >$floor
assert_eq "the floor" "$(cat $floor)" 68719476736
expect_status 1 memplugctl unplug 128M --contiguous --json >/tmp/floor.json 2>/tmp/floor.err
cat /tmp/floor.err
assert_eq "done_size of a run below the floor" "$(json /tmp/floor.json /done_size)" 0
assert_eq "stopped_by" "$(json /tmp/floor.json /stopped_by)" floor
echo 64M >$floor
expect_status 0 memplugctl unplug 128M --contiguous --quiet >/dev/null
kpf check /tmp/baseline

memplugctl plug --all
assert_eq "MemTotal after plug --all" "$(memtotal_kb)" "$before"
kpf check /tmp/baseline
