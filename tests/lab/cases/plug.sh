#!/bin/sh
# SPDX-License-Identifier: MIT
# plug by size gives back from the lowest address up, by range exactly that; what is so already
# counts as already, and what was not unplugged can't be given back.
# lab: mem=6G
# lab: append=init_on_alloc=0
set -eu
. /lab/lib.sh

kpf save /tmp/baseline
memplugctl unplug 128M --contiguous --json >/tmp/low.json
start=$(json /tmp/low.json /ranges/0/start)
hex=$(printf '0x%x' "$start")
gap=$(printf '0x%x' $((start + 67108864)))

memplugctl unplug "$hex+128M" --json >/tmp/already.json
assert_eq "already_size" "$(json /tmp/already.json /already_size)" 134217728
assert_eq "done_size" "$(json /tmp/already.json /done_size)" 0
assert_eq "shortfall" "$(json /tmp/already.json /shortfall)" 0
assert_eq "stopped_by" "$(json /tmp/already.json /stopped_by)" null

memplugctl plug 16M --json >/tmp/plug.json
assert_eq "start of what was plugged first" "$(json /tmp/plug.json /ranges/0/start)" "$start"
assert_eq "number of ranges" "$(jsonget --len /ranges </tmp/plug.json)" 1
assert_eq "lowest of what is left" \
	"$(memplugctl list --json | jsonget /ranges/0/start)" $((start + 16777216))

memplugctl plug "$gap+4M" --json >/tmp/gap.json
assert_eq "start of the range" "$(json /tmp/gap.json /ranges/0/start)" $((start + 67108864))
assert_eq "number of ranges left" "$(memplugctl list --json | jsonget --len /ranges)" 2
kpf check /tmp/baseline

memplugctl plug "$gap+8M" --json >/tmp/half.json
assert_eq "already_size of a half plugged range" "$(json /tmp/half.json /already_size)" 4194304
assert_eq "done_size of a half plugged range" "$(json /tmp/half.json /done_size)" 4194304

left=$(unplugged_bytes)
expect_status 64 memplugctl plug 1G --json >/tmp/more.json
assert_eq "done_size of more than there is" "$(json /tmp/more.json /done_size)" "$left"
assert_eq "stopped_by of more than there is" "$(json /tmp/more.json /stopped_by)" exhausted
expect_status 1 memplugctl plug 4M
memplugctl plug --all --json >/tmp/nothing.json
assert_eq "requested_size of plug --all without anything" \
	"$(json /tmp/nothing.json /requested_size)" 0
kpf check /tmp/baseline
