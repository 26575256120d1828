#!/bin/sh
# SPDX-License-Identifier: MIT
# A reference to an unplugged page that outlives everything else, as KVM may have one, is no obstacle
# to giving the memory back: that page is free when the reference is gone, all others are at once.
# lab: mem=6G
# lab: append=init_on_alloc=0
# lab: needs=block-offlining
set -eu
. /lab/lib.sh

insmod /lab/obstruct.ko
kpf save /tmp/baseline

# keep: 4 MiB are unplugged, and a reference to their first page is left.
keep() {
	block=$(find_block)
	start=$((block * 0x$(cat /sys/devices/system/memory/block_size_bytes)))
	range=$(printf '0x%x+4M' $start)
	pfn=$((start / 4096))
	memplugctl unplug "$range" --exact --quiet >/dev/null 2>&1 || return 1
	echo $pfn >/sys/module/obstruct/parameters/hold
}

explain_page() {
	expect_status 0 memplugctl explain "$range" --json >/tmp/explained.json 2>/dev/null
}

# is_gone: what is freed last is used first, so a short-lived page of the kernel may be there.
is_gone() {
	explain_page
	[ "$(json /tmp/explained.json /subblocks/0/pfn)" != "$pfn" ]
}

# give_back COMMAND...: which does.
give_back() {
	wait_for 30 keep || fail "no 4 MiB can be had"
	"$@"
	assert_eq "unplugged" "$(unplugged_bytes)" 0
	kpf check /tmp/baseline
	# That page is in the way. The others are not, but the kernel may have taken some for itself.
	explain_page
	assert_eq "page frame" "$(json /tmp/explained.json /subblocks/0/pfn)" "$pfn"
	assert_eq "reason" "$(json /tmp/explained.json /subblocks/0/reason)" unmovable
	others=$(($(json /tmp/explained.json /subblocks/0/free_pages) +
		$(json /tmp/explained.json /subblocks/0/movable_pages)))
	echo "$*: page frame $pfn is in the way, $others of the 1023 others are not"
	[ $others -ge 768 ] || fail "other pages are in the way as well"
	expect_status 1 memplugctl unplug "$range" --quiet 2>/dev/null
	echo 0 >/sys/module/obstruct/parameters/hold
	wait_for 30 is_gone || fail "the page is still in the way"
	kpf check /tmp/baseline
}

plug_range() {
	memplugctl plug "$range" --quiet >/dev/null
}
unload() {
	rmmod memplug
	insmod /lab/memplug.ko
}
give_back plug_range
give_back memplugctl plug --all --quiet
give_back unload

# With its memory block it does not go, as before.
wait_for 30 keep || fail "no 4 MiB can be had"
if echo offline 2>/dev/null >/sys/devices/system/memory/memory"$block"/state; then
	fail "a memory block goes offline with a page that somebody has a reference to"
fi
kpf check /tmp/baseline
memplugctl plug --all --quiet >/dev/null
kpf check /tmp/baseline
echo 0 >/sys/module/obstruct/parameters/hold
rmmod obstruct
