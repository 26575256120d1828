#!/bin/sh
# SPDX-License-Identifier: MIT
# Unplugged down to the floor and idle: kswapd uses no CPU, as the tool has had the watermarks
# computed anew for what is left of the zone.
# lab: mem=6G
# lab: append=init_on_alloc=0
# lab: alone=yes
set -eu
. /lab/lib.sh

# Ticks of CPU time that kswapd has used.
kswapd_ticks() {
	awk '{ print $14 + $15 }' /proc/"$(pidof kswapd0)"/stat
}

# watermark NAME: of ZONE_NORMAL, in pages
watermark() {
	awk -v name="$1" '/zone/ { normal = $4 == "Normal" } normal && $1 == name { print $2; exit }' \
		/proc/zoneinfo
}

kpf save /tmp/baseline
factor=$(cat /proc/sys/vm/watermark_scale_factor)
# What boot has left is computed from what was there then: from what is there now.
echo "$factor" >/proc/sys/vm/watermark_scale_factor
high=$(watermark high)
# Page cache and memory in use, so that there is something to reclaim.
dd if=/dev/zero of=/tmp/file bs=1M count=256 2>/dev/null
expect_status 64 memplugctl unplug 100G --verbose >/tmp/unplug.out 2>/tmp/unplug.err
cat /tmp/unplug.err
grep -q watermark /tmp/unplug.err || fail "the tool does not tell of the watermarks with -v"
assert_eq "watermark_scale_factor" "$(cat /proc/sys/vm/watermark_scale_factor)" "$factor"
low=$(watermark high)
echo "high watermark of ZONE_NORMAL: $high pages before, $low after," \
	"free: $(awk '/^MemFree:/ { print $2 }' /proc/meminfo) kB"
[ "$low" -lt $((high / 2)) ] || fail "the watermarks are still those of the larger zone"

sleep 2
before=$(kswapd_ticks)
sleep 10
assert_eq "ticks that kswapd used in 10 s" "$(kswapd_ticks)" "$before"

memplugctl plug --all --keep-watermarks --quiet >/dev/null
assert_eq "high watermark with --keep-watermarks" "$(watermark high)" "$low"
memplugctl unplug 64M --quiet >/dev/null
memplugctl plug --all --quiet >/dev/null
assert_eq "high watermark when all is back" "$(watermark high)" "$high"
rm /tmp/file
kpf check /tmp/baseline
