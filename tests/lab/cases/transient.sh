#!/bin/sh
# SPDX-License-Identifier: MIT
# Memory is given back in blocks while others have references to some of its pages, or a memory error
# is found in one at that moment: each such page is kept out, and no other; nothing is lost.
# lab: mem=6G
# lab: append=init_on_alloc=0
# lab: central=yes
set -eu
. /lab/lib.sh

insmod /lab/transient.ko
transient=/sys/module/transient/parameters
kpf save /tmp/baseline

block=$(find_block)
start=$((block * 0x$(cat /sys/devices/system/memory/block_size_bytes)))
pfn=$((start / 4096))
places="0 1 255 511 512 513 700 1023"
# One of them in each of eight subblocks, and all of them in the ninth.
range=$(printf '0x%x+36M' $start)
mixed=$((pfn + 8 * 1024))

explain() {
	expect_status 0 memplugctl explain "$range" --json >/tmp/explained.json 2>/dev/null
}

# left: how many pages of the range are free or can be moved, with the CPUs' own lists empty.
# How many subblocks have a page that can't be moved, is in /tmp/blocked.
left() {
	memplugctl unplug 4M --contiguous --quiet >/dev/null 2>&1 || :
	memplugctl plug --all --quiet >/dev/null
	memplugctl explain "$range" >/tmp/explained 2>/dev/null
	awk '$5 == "blocked" { nr++ } END { print nr + 0 }' /tmp/explained >/tmp/blocked
	awk '/^0x.*-0x/ { pages += $6 + $7 } END { print pages + 0 }' /tmp/explained
}

memplugctl unplug "$range" --exact --quiet >/dev/null
held=
nr=0
for place in $places; do
	held=$held$((pfn + nr * 1024 + place)),$((mixed + place)),
	nr=$((nr + 1))
done
echo "${held}0" >$transient/hold
memplugctl plug "$range" --quiet >/dev/null
assert_eq "unplugged" "$(unplugged_bytes)" 0
kpf check /tmp/baseline

# Each is named, and what is not held is free, or in use by somebody else by now.
there=$(left)
echo "$there of $((36 * 256 - 16)) pages that are not held are free or can be moved"
[ "$there" -ge $((36 * 256 - 16 - 256)) ] || fail "pages are missing"
[ "$there" -le $((36 * 256 - 16)) ] || fail "a page that is held can be taken"
explain
nr=0
for place in $places; do
	assert_eq "page frame" "$(json /tmp/explained.json /subblocks/$nr/pfn)" \
		$((pfn + nr * 1024 + place))
	one=$(printf '0x%x+4M' $((start + (nr << 22))))
	expect_status 1 memplugctl unplug "$one" --json >/tmp/result.json 2>/dev/null
	assert_eq "page frame of a claim" "$(json /tmp/result.json /blocked/0/pfn)" \
		$((pfn + nr * 1024 + place))
	nr=$((nr + 1))
done
assert_eq "page frame" "$(json /tmp/explained.json /subblocks/8/pfn)" "$mixed"

# can_be_had: all but what the kernel may have put there since.
can_be_had() {
	memplugctl unplug "$range" --quiet >/dev/null 2>&1 || :
	had=$(unplugged_bytes)
	memplugctl plug --all --quiet >/dev/null
	[ "$had" -ge $((32 << 20)) ]
}
echo 0 >$transient/hold
wait_for 30 can_be_had || fail "only $had bytes can be had when nobody holds a page any more"
kpf check /tmp/baseline

# References that come and go while memory is given back: each round elsewhere, as the kernel takes what
# was given back last for pages of its own. A page that is lost is one that can't be moved.
rounds=20
least=16384
most_blocked=0
round=0
while [ $round -lt $rounds ]; do
	memplugctl unplug 64M --contiguous --json --quiet >/tmp/result.json
	start=$(json /tmp/result.json /ranges/0/start)
	range=$(printf '0x%x+64M' "$start")
	echo $((start / 4096)),$((64 * 256)) >$transient/shake
	memplugctl plug --all --quiet >/dev/null
	echo 0,0 >$transient/shake
	there=$(left)
	[ "$there" -ge "$least" ] || least=$there
	[ "$(cat /tmp/blocked)" -le "$most_blocked" ] || most_blocked=$(cat /tmp/blocked)
	round=$((round + 1))
done
kpf check /tmp/baseline
echo "$(cat $transient/shaken) references, $(cat $transient/outlasted) of them the last; at least" \
	"$least of 16384 pages, and all but $most_blocked of 16 subblocks, can be had afterwards"
[ "$(cat $transient/outlasted)" -gt 0 ] || fail "no page was given back while somebody held it"
[ "$least" -ge 12288 ] || fail "blocks are lost"
[ "$most_blocked" -le 4 ] || fail "pages are lost"

# A memory error that is found when it is nearly too late, in a block's first page and in another.
try_block() {
	block=$(find_block 2>/dev/null)
}
for place in 0 700; do
	wait_for 30 try_block || fail "no memory block can be unplugged whole"
	first=$((block * 0x$(cat /sys/devices/system/memory/block_size_bytes)))
	range=$(printf '0x%x+4M' $first)
	bad=$((first / 4096 + place))
	memplugctl unplug "$range" --exact --quiet >/dev/null
	echo $bad >$transient/poison
	memplugctl plug "$range" --quiet >/dev/null
	echo 0 >$transient/poison
	there=$(left)
	assert_eq "bad page that is free" "$(kpf free $bad 1)" 0
	echo "page frame $bad is bad: $there others of its subblock are free or can be moved"
	[ "$there" -ge 768 ] || fail "others are kept out, too"
	expect_status 1 memplugctl unplug "$range" --json >/tmp/result.json 2>/dev/null
	assert_eq "reason" "$(json /tmp/result.json /blocked/0/reason)" hwpoison
	assert_eq "page frame" "$(json /tmp/result.json /blocked/0/pfn)" $bad
	kpf check /tmp/baseline
done
rmmod transient
