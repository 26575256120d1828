#!/bin/sh
# SPDX-License-Identifier: MIT
# plug by size gives back from the lowest address up, by range exactly that; what is so already
# counts as already, and what was not unplugged can't be given back.
# lab: mem=6G
# lab: append=init_on_alloc=0
# lab: central=yes
# lab: large=yes
set -eu
. /lab/lib.sh

unit=$(status_value /subblock_size)
kpf save /tmp/baseline
memplugctl unplug $((8 * unit)) --contiguous --json >/tmp/low.json
start=$(json /tmp/low.json /ranges/0/start)
hex=$(printf '0x%x' "$start")
gap=$(printf '0x%x' $((start + 4 * unit)))

memplugctl unplug "$hex+$((8 * unit))" --json >/tmp/already.json
assert_eq "already_size" "$(json /tmp/already.json /already_size)" $((8 * unit))
assert_eq "done_size" "$(json /tmp/already.json /done_size)" 0
assert_eq "shortfall" "$(json /tmp/already.json /shortfall)" 0
assert_eq "stopped_by" "$(json /tmp/already.json /stopped_by)" null

memplugctl plug $((2 * unit)) --json >/tmp/plug.json
assert_eq "start of what was plugged first" "$(json /tmp/plug.json /ranges/0/start)" "$start"
assert_eq "number of ranges" "$(jsonget --len /ranges </tmp/plug.json)" 1
assert_eq "lowest of what is left" \
	"$(memplugctl list --json | jsonget /ranges/0/start)" $((start + 2 * unit))

memplugctl plug "$gap+$unit" --json >/tmp/gap.json
assert_eq "start of the range" "$(json /tmp/gap.json /ranges/0/start)" $((start + 4 * unit))
assert_eq "number of ranges left" "$(memplugctl list --json | jsonget --len /ranges)" 2
kpf check /tmp/baseline

memplugctl plug "$gap+$((2 * unit))" --json >/tmp/half.json
assert_eq "already_size of a half plugged range" "$(json /tmp/half.json /already_size)" "$unit"
assert_eq "done_size of a half plugged range" "$(json /tmp/half.json /done_size)" "$unit"

left=$(unplugged_bytes)
expect_status 64 memplugctl plug $((8 * unit)) --json >/tmp/more.json
assert_eq "done_size of more than there is" "$(json /tmp/more.json /done_size)" "$left"
assert_eq "stopped_by of more than there is" "$(json /tmp/more.json /stopped_by)" exhausted
expect_status 1 memplugctl plug "$unit"
memplugctl plug --all --json >/tmp/nothing.json
assert_eq "requested_size of plug --all without anything" \
	"$(json /tmp/nothing.json /requested_size)" 0
kpf check /tmp/baseline
