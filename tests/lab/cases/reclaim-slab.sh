#!/bin/sh
# SPDX-License-Identifier: MIT
# Dentries that nobody uses are in the way of an unplug, until --reclaim-slab has them dropped.
# lab: mem=6G
# lab: timeout=240
set -eu
. /lab/lib.sh

kpf save /tmp/baseline
# One memory block alone is plugged, which is what the kernel now fills.
block=$(find_block)
bytes=$((0x$(cat /sys/devices/system/memory/block_size_bytes)))
range=$(printf '0x%x+%d' $((block * bytes)) $bytes)
memplugctl unplug "$(managed_bytes)" --quiet >/dev/null 2>&1 || :
memplugctl plug "$range" --quiet >/dev/null

# sysfs remembers of each name that was asked for that there is no such file.
name=0
while [ $name -lt 200000 ]; do
	[ -e /sys/kernel/$name ] && fail "there is such a file"
	name=$((name + 1))
done
echo "$(awk '/^SReclaimable:/ { print $2 }' /proc/meminfo) kB of slab can be reclaimed"

# Asked twice, as the second time may find more by itself.
for file in /tmp/first.json /tmp/without.json; do
	expect_status 64 memplugctl unplug "$range" --json >$file
	assert_eq "why not all" "$(json $file /stopped_by)" exhausted
	memplugctl plug "$range" --quiet >/dev/null
done
grep -q '"reason": *"unmovable"' /tmp/without.json || fail "no kernel memory is in the way"
out=$(unplugged_bytes)
status=0
memplugctl unplug "$range" --reclaim-slab --verbose --json >/tmp/with.json 2>/tmp/prose || status=$?
cat /tmp/prose
[ $status = 0 ] || [ $status = 64 ] || fail "unplug ended with $status"
grep -q "more after dropping" /tmp/prose || fail "nothing was dropped"
without=$(json /tmp/without.json /done_size)
with=$(json /tmp/with.json /done_size)
echo "$(json /tmp/first.json /done_size) and $without without, $with with --reclaim-slab, of $bytes"
# What was in the way were dentries, for the most part.
[ $((with - without)) -ge $(((bytes - without) / 4)) ] || fail "dropping dentries brings too little"

# The passes are told as one.
assert_eq "already unplugged" "$(json /tmp/with.json /already_size)" 0
assert_eq "unplugged" "$(unplugged_bytes)" $((out + with))
sum=$(tr -d ' \n' </tmp/with.json | sed 's/"blocked":.*//' | grep -o '"size":[0-9]*' | cut -d: -f2 |
	awk '{ sum += $1 } END { print sum }')
assert_eq "the ranges together" "$sum" "$with"

memplugctl plug --all --quiet >/dev/null
kpf check /tmp/baseline
