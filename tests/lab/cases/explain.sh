#!/bin/sh
# SPDX-License-Identifier: MIT
# explain names the reason and the page frame of what is in the way in known places, and says
# "movable" of what only looks as if it were; what it says is what an unplug then meets.
# lab: mem=8G
# lab: append=init_on_alloc=0 hugepagesz=1G hugepages=1
# lab: needs=block-offlining,low-memory
# shellcheck disable=SC2154  # offline_block sets block and size
set -eu
. /lab/lib.sh

kpf save /tmp/baseline

# keep KIND: has a page of this kind; its address is in $address, who has it in $keeper.
keep() {
	stay "$1" >"/tmp/address.$1" &
	keeper=$!
	wait_for 30 test -s "/tmp/address.$1" || fail "no page of the kind $1"
	address=$(cat "/tmp/address.$1")
}

# What explain says of the subblock with the page.
explain_page() {
	subblock=$((address / 4194304 * 4194304))
	range=$(printf '0x%x+4M' "$subblock")
	expect_status 0 memplugctl explain "$range" --json >/tmp/explained.json 2>/tmp/explained.txt
	assert_eq "records" "$(jsonget --len /subblocks </tmp/explained.json)" 1
	assert_eq "start" "$(json /tmp/explained.json /subblocks/0/start)" "$subblock"
}

said() {
	json /tmp/explained.json "/subblocks/0/$1"
}

tells_own() {
	explain_page
	[ "$(said pfn)" = $((address / 4096)) ]
}

# in_the_way KIND OUTLOOK REASON own|any: with the page's own frame, or one of the subblock; an
# unplug has the same to say.
in_the_way() {
	keep "$1"
	explain_page
	# A page before it that was faulted in just now may still be on its way to the LRU lists.
	[ "$4" = any ] || wait_for 10 tells_own || cat /tmp/explained.txt
	echo "$1 at $(printf '%#x' "$address"): $(said outlook), $(said reason)," \
		"pfn $(said pfn), flags $(said page_flags)"
	assert_eq "$1: outlook" "$(said outlook)" "$2"
	assert_eq "$1: reason" "$(said reason)" "$3"
	grep -q "memplugctl: explain: $3: " /tmp/explained.txt || fail "$1: no words for it"
	expect_status 1 memplugctl unplug "$range" --json >/tmp/result.json 2>/dev/null
	assert_eq "$1: an unplug says" "$(json /tmp/result.json /blocked/0/reason)" "$3"
	# What else of the kernel is beside it comes and goes.
	if [ "$4" = own ]; then
		assert_eq "$1: pfn" "$(said pfn)" $((address / 4096))
		assert_eq "$1: an unplug's pfn" "$(json /tmp/result.json /blocked/0/pfn)" "$(said pfn)"
	fi
	kill "$keeper"
	wait "$keeper" 2>/dev/null || :
}

in_the_way spliced maybe pinned own
# The debug kernel knows who allocated it.
if grep -q page_owner=on /proc/cmdline; then
	said page_owner | head -n 2
	said page_owner | grep -q "^PFN $(said pfn) type" || fail "the page's owner is not told"
fi
in_the_way table blocked unmovable any
# Its first page frame in the subblock.
in_the_way gigantic blocked hugetlb own

looks_movable() {
	explain_page
	[ "$(said outlook)" = movable ]
}

# movable KIND: nothing is in the way, and an unplug gets it.
movable() {
	keep "$1"
	# A page beside it that was faulted in just now may still be on its way to the LRU lists.
	wait_for 10 looks_movable || cat /tmp/explained.txt
	echo "$1 at $(printf '%#x' "$address"): $(said outlook), $(said movable_pages) pages"
	assert_eq "$1: outlook" "$(said outlook)" movable
	[ "$(said movable_pages)" -gt 0 ] || fail "$1: nothing to move"
	expect_status 0 memplugctl unplug "$range" --quiet >/dev/null
	explain_page
	assert_eq "$1: state" "$(said state)" unplugged
	memplugctl plug "$range" --quiet >/dev/null
	kill "$keeper"
	wait "$keeper" 2>/dev/null || :
}

movable locked
case $(uname -r) in
5.10.*) echo "this kernel does not move hugetlb pages" ;;
*)
	echo 8 >/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages
	movable hugetlb
	[ "$(said huge_pages)" = 512 ] || [ "$(said huge_pages)" = null ] || fail "not a huge page"
	echo 0 >/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages
	;;
esac

# A page that a test's module holds on to.
insmod /lab/sprinkle.ko
first=$(first_pfn)
memplugctl explain "$(printf '0x%x+64M' $((first * 4096 + (1 << 30))))" --json --quiet \
	>/tmp/explained.json
blocked=$(grep -c '"outlook":"blocked","reason":"unmovable"' /tmp/explained.json || :)
echo "sprinkled: $blocked of 16 subblocks are blocked"
[ "$blocked" -gt 4 ] || fail "pages of a module were not seen"
rmmod sprinkle

# What is no memory, what is of another zone, and what is unplugged.
expect_status 0 memplugctl explain 0x1000000+8M --json >/tmp/explained.json 2>/dev/null
assert_eq "why" "$(json /tmp/explained.json /subblocks/0/why)" zone
assert_eq "one record for both" "$(json /tmp/explained.json /subblocks/0/size)" 8388608
expect_status 0 memplugctl explain 0x10000000000+1G --json >/tmp/explained.json 2>/dev/null
assert_eq "why" "$(json /tmp/explained.json /subblocks/0/why)" absent
assert_eq "size" "$(json /tmp/explained.json /subblocks/0/size)" 1073741824
expect_told 0 /tmp/told memplugctl explain 0x1000001000 --json >/tmp/explained.json
assert_eq "whole subblock" "$(json /tmp/explained.json /subblocks/0/start)" $((0x1000000000))
grep -q "shown are whole subblocks" /tmp/told || fail "that more is shown is not said"
expect_status 2 memplugctl explain 0x1000+4X 2>/dev/null

# A memory block that is offline, and what was unplugged there.
wait_for 20 offline_block 4194304 || fail "no memory block goes offline"
memplugctl explain "$(printf '0x%x+%d' $((block * size)) "$size")" --json --quiet \
	>/tmp/explained.json
assert_eq "why" "$(json /tmp/explained.json /subblocks/0/why)" offline
assert_eq "wanted" "$(json /tmp/explained.json /subblocks/0/wanted)" true
assert_eq "the rest is not" "$(json /tmp/explained.json /subblocks/1/wanted)" false
echo online_kernel >/sys/devices/system/memory/memory"$block"/state
memplugctl plug --all --quiet >/dev/null
wait_for 10 kpf check /tmp/baseline
