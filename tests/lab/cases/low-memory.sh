#!/bin/sh
# SPDX-License-Identifier: MIT
# A machine that has all its memory below 4 GiB gives some when the module is loaded with what lies
# there: by size, exactly, as one run, with a target, mapped. All accounts agree, and the zone keeps
# what devices need, whether its memory is free or in use.
# lab: mem=2560M
# lab: disk=2G
# lab: module=none
# lab: append=init_on_alloc=0
# lab: programs=memtester
# lab: timeout=240
# lab: needs=low-memory
set -eu
. /lab/lib.sh

reserve=/sys/module/memplug/parameters/low_reserve

# A figure of ZONE_DMA32, in pages.
zone_pages() {
	awk -v name="$1" '/^Node/ { low = $4 == "DMA32" } low && $1 == name { print $2; exit }' \
		/proc/zoneinfo
}
free_pages() {
	awk '/^Node/ { low = $4 == "DMA32" } low && $1 == "pages" { print $3; exit }' /proc/zoneinfo
}

# take_all HOW LEAST: everything, as far as it goes; the zone has so many pages left at least.
take_all() {
	expect_status 64 memplugctl unplug 100G --zone dma32 --json >/tmp/all.json 2>/tmp/all.err
	cat /tmp/all.err
	left=$(zone_pages managed)
	taken=$(json /tmp/all.json /done_size)
	echo "$1: $taken bytes taken; of $present pages $left are left, $(free_pages) of them free"
	assert_eq "$1: stopped_by" "$(json /tmp/all.json /stopped_by)" floor
	[ "$left" -ge "$2" ] || fail "$1: the zone should keep $2 pages"
	assert_eq "$1: low and unplugged" "$(status_value /low_unplugged_size)" "$(unplugged_bytes)"
	kpf check /tmp/baseline
}

before=$(memtotal_kb)
insmod /lab/memplug.ko
assert_eq "managed by default" "$(managed_bytes)" 0
expect_status 1 memplugctl unplug 64M --zone dma32 2>/tmp/refusal
cat /tmp/refusal
grep -q "zones=normal,dma32" /tmp/refusal || fail "it does not say what would help"
rmmod memplug

insmod /lab/memplug.ko zones=normal,dma32 floor=128M
memplugctl status
managed=$(managed_bytes)
[ "$managed" -gt $((1536 << 20)) ] || fail "only $managed bytes are managed"
assert_eq "low and managed" "$(status_value /low_managed_size)" "$managed"
assert_eq "kept by the zone" "$(status_value /low_reserve_size)" $((256 << 20))
kpf save /tmp/baseline
zone=$(zone_pages managed)
present=$(zone_pages present)
quarter=$((present / 4))

memplugctl unplug 256M
assert_eq "MemTotal" "$(memtotal_kb)" $((before - 262144))
kpf check /tmp/baseline
memplugctl plug --all >/dev/null
expect_status 1 memplugctl unplug 64M --zone normal
assert_eq "unplugged of ZONE_NORMAL, which is not there" "$(unplugged_bytes)" 0

memplugctl unplug 64M --contiguous --align 64M --within 0x0+4G --json >/tmp/run.json
range=$(json /tmp/run.json /ranges/0/range)
memplugctl plug --all >/dev/null
memplugctl unplug "$range" --exact
memplugctl list
memplugctl plug "$range"
memplugctl hold "$range" -- memtester -p "${range%%-*}" -d /dev/memplug 4M 1 >/tmp/memtester 2>&1 ||
	fail "memtester: $(tail -n 5 /tmp/memtester)"

# Three quarters of what is low at the most.
take_all "free memory" "$quarter"
[ "$taken" -gt $((512 << 20)) ] || fail "little could be had"
memplugctl plug --all >/dev/null

# Page cache is available to others, and not free: what the zone keeps is told by neither.
truncate -s 1792M /mnt/file
cat /mnt/file >/dev/null
free=$(free_pages)
[ "$free" -lt "$quarter" ] || fail "$free pages are free: the page cache does not fill the zone"
echo 1G >$reserve
assert_eq "kept by the zone" "$(status_value /low_reserve_size)" $((1 << 30))
take_all "memory in use, 1 GiB reserved" 262144
# It is no cushion: what could be taken was taken. A debug kernel may be at the floor before.
[ "$PLAN_SLOWNESS" -gt 1 ] || [ "$left" -le $((262144 + 16384)) ] || fail "far more was left"
echo 0 >$reserve
take_all "memory in use" "$quarter"
echo 256M >$reserve
memplugctl plug --all >/dev/null
rm /mnt/file

memplugctl target --total 2G --wait --timeout 60s
memplugctl target none
memplugctl plug --all >/dev/null
assert_eq "MemTotal at the end" "$(memtotal_kb)" "$before"
assert_eq "managed by the zone at the end" "$(zone_pages managed)" "$zone"
kpf check /tmp/baseline
rmmod memplug
