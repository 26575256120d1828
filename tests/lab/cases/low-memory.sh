#!/bin/sh
# SPDX-License-Identifier: MIT
# A machine that has all its memory below 4 GiB gives some when the module is loaded with what lies below 4 GiB: by size, exactly,
# as one run, with a target, mapped; all accounts agree, and the zone keeps what devices need.
# lab: mem=2560M
# lab: module=none
# lab: append=init_on_alloc=0
# lab: programs=memtester
# lab: needs=low-memory
set -eu
. /lab/lib.sh

# A figure of ZONE_DMA32, in pages.
zone_pages() {
	awk -v name="$1" '/^Node/ { low = $4 == "DMA32" } low && $1 == name { print $2; exit }' /proc/zoneinfo
}
free_pages() {
	awk '/^Node/ { low = $4 == "DMA32" } low && $1 == "pages" { print $3; exit }' /proc/zoneinfo
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
kpf save /tmp/baseline
zone=$(zone_pages managed)

memplugctl unplug 256M
assert_eq "MemTotal" "$(memtotal_kb)" $((before - 262144))
kpf check /tmp/baseline
memplugctl plug --all >/dev/null

memplugctl unplug 64M --contiguous --align 64M --within 0x0+4G --json >/tmp/run.json
range=$(json /tmp/run.json /ranges/0/range)
memplugctl plug --all >/dev/null
memplugctl unplug "$range" --exact
memplugctl list
memplugctl plug "$range"
memplugctl hold "$range" -- memtester -p "${range%%-*}" -d /dev/memplug 4M 1 >/tmp/memtester 2>&1 ||
	fail "memtester: $(tail -n 5 /tmp/memtester)"

# Everything, as far as it goes: three quarters of what is low at the most.
expect_status 64 memplugctl unplug 100G --zone dma32 --json >/tmp/all.json 2>/tmp/all.err
cat /tmp/all.err
present=$(zone_pages present)
echo "$(json /tmp/all.json /done_size) bytes taken, $(free_pages) pages of $present are free"
[ "$(json /tmp/all.json /stopped_by)" = floor ] || fail "stopped by $(json /tmp/all.json /stopped_by)"
[ "$(json /tmp/all.json /done_size)" -gt $((512 << 20)) ] || fail "little could be had"
[ "$(free_pages)" -ge $((present / 4 - 16384)) ] || fail "the zone does not keep a quarter"
assert_eq "low and unplugged" "$(status_value /low_unplugged_size)" "$(unplugged_bytes)"
kpf check /tmp/baseline
memplugctl plug --all >/dev/null

memplugctl target --total 2G --wait --timeout 60s
memplugctl target none
memplugctl plug --all >/dev/null
assert_eq "MemTotal at the end" "$(memtotal_kb)" "$before"
assert_eq "managed by the zone at the end" "$(zone_pages managed)" "$zone"
kpf check /tmp/baseline
rmmod memplug
