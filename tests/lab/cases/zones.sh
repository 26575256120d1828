#!/bin/sh
# SPDX-License-Identifier: MIT
# Memory that memplug does not take from is told by its node and its zone.
# lab: mem=4G
# lab: numa=2
# lab: append=init_on_alloc=0
# lab: needs=block-offlining,low-memory
# shellcheck disable=SC2154  # offline_block sets block and size
set -eu
. /lab/lib.sh

kpf save /tmp/baseline
# All of node 0 lies below 4 GiB.
expect_told 1 /tmp/node.txt memplugctl unplug 64M --node 0
cat /tmp/node.txt
grep -q "node 0 has no managed memory: what it has is in .*ZONE_DMA32" /tmp/node.txt ||
	fail "the node's zones are not told"
expect_told 1 /tmp/low.txt memplugctl unplug 0x20000000+64M
cat /tmp/low.txt
grep -q "it is in ZONE_DMA32" /tmp/low.txt || fail "the zone below 4 GiB is not told"

wait_for 30 offline_block 0 || fail "no memory block goes offline"
memory=/sys/devices/system/memory/memory$block
echo online_movable >"$memory/state"
expect_told 1 /tmp/movable.txt memplugctl unplug "$(printf '0x%x+64M' $((block * size)))"
cat /tmp/movable.txt
grep -q "it is in ZONE_MOVABLE" /tmp/movable.txt || fail "ZONE_MOVABLE is not told"
grep -q "online_kernel" /tmp/movable.txt || fail "what to do about it is not told"
echo offline >"$memory/state"
echo online_kernel >"$memory/state"
kpf check /tmp/baseline
