#!/bin/sh
# SPDX-License-Identifier: MIT
# Dentries that nobody uses are in the way of an unplug, until --reclaim-slab has them dropped.
# lab: mem=6G
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

expect_status 64 memplugctl unplug "$range" --json >/tmp/without.json
memplugctl plug "$range" --quiet >/dev/null
memplugctl unplug "$range" --reclaim-slab --verbose --json >/tmp/with.json 2>/tmp/prose || :
cat /tmp/prose
without=$(json /tmp/without.json /done_size)
with=$(json /tmp/with.json /done_size)
echo "$without without, $with with --reclaim-slab, of $bytes"
grep -q '"reason": *"unmovable"' /tmp/without.json || fail "no kernel memory is in the way"
# What was in the way were dentries, for the most part.
[ $((with - without)) -ge $(((bytes - without) / 4)) ] || fail "dropping dentries brings too little"
assert_eq "unplugged of what was told" "$(json /tmp/with.json /already_size)" 0
sum=$(memplugctl list --json | tr -d ' \n' | grep -o '"size":[0-9]*' | cut -d: -f2 |
	awk '{ sum += $1 } END { print sum }')
assert_eq "what is out" "$sum" "$(unplugged_bytes)"

memplugctl plug --all --quiet >/dev/null
kpf check /tmp/baseline
