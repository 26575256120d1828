#!/bin/sh
# SPDX-License-Identifier: MIT
# Anonymous memory, tmpfs and ext4 page cache, clean and dirty, over at least 70 % of ZONE_NORMAL
# keep every byte while a quarter of the zone is unplugged and plugged again, five times; an eighth on
# a debug kernel, which has reserved a third of it.
# lab: mem=4G
# lab: disk=1G
# lab: timeout=240
# lab: debug-append=page_poison=1
# lab: central=yes
# lab: large=yes
set -eu
. /lab/lib.sh

# "free managed" pages of ZONE_NORMAL.
normal_pages() {
	awk '/^Node/ { normal = $4 == "Normal" }
		normal && /pages free/ { free += $3 }
		normal && $1 == "managed" { managed += $2 }
		END { print free, managed }' /proc/zoneinfo
}

verify_all() {
	for keeper in anon small tmpfs clean dirty; do
		keeper verify "$keeper"
	done
}

# What is dirty has to be moved while it is dirty, so nothing may be written back by itself.
echo 0 >/proc/sys/vm/dirty_writeback_centisecs
echo 90 >/proc/sys/vm/dirty_background_ratio
echo 95 >/proc/sys/vm/dirty_ratio

keeper start anon anon 450M
mount -t tmpfs -o size=1G tmpfs /tmp
keeper start tmpfs file /tmp/content 500M
keeper start clean file /mnt/clean 400M
keeper start dirty dirty /mnt/dirty 150M
# Base pages only, beside the huge ones that the first may have got.
echo never >/sys/kernel/mm/transparent_hugepage/enabled
keeper start small anon 200M
dirty=$(awk '/^Dirty:/ { print $2 }' /proc/meminfo)
echo "dirty page cache: $dirty kB"
[ "$dirty" -ge 100000 ] || fail "the dirty page cache was written back"

# shellcheck disable=SC2046  # two numbers are wanted
set -- $(normal_pages)
percent=$((($2 - $1) * 100 / $2))
echo "$percent % of ZONE_NORMAL is occupied"
[ "$percent" -ge 70 ] || fail "too little is occupied"

kpf save /tmp/baseline
before=$(memtotal_kb)
# In MiB, whole subblocks.
part=$(($(managed_bytes) / 1048576 / (PLAN_SLOWNESS > 1 ? 8 : 4)))
unit=$(($(status_value /subblock_size) / 1048576))
part=$((part - part % unit))
moved=0
low=0x100000000-0x13fffffff
high=0x140000000-0x17fffffff
for window in all $low $high $low $high; do
	status=0
	if [ "$window" = all ]; then
		memplugctl unplug "${part}M" --json >/tmp/round.json || status=$?
	else
		memplugctl unplug "${part}M" --within "$window" --json >/tmp/round.json || status=$?
	fi
	# One kernel page is in the way of a whole subblock, and few large ones have none.
	[ $status -eq 0 ] || [ "$unit" -gt 4 ] || fail "unplug ended with $status"
	had=$(($(json /tmp/round.json /done_size) / 1048576))
	[ $had -ge $((part / 2)) ] || fail "only $had MiB were had"
	pages=$(json /tmp/round.json /pages_migrated)
	moved=$((moved + pages))
	echo "unplugged $had MiB of $window: $pages pages moved," \
		"$(($(json /tmp/round.json /elapsed_us) / 1000)) ms"
	assert_eq "MemTotal" "$(memtotal_kb)" $((before - had * 1024))
	kpf check /tmp/baseline
	verify_all
	memplugctl plug --all >/dev/null
done
[ "$moved" -gt $((part * 256)) ] || fail "hardly anything had to be moved"
kpf check /tmp/baseline
for keeper in anon small tmpfs clean dirty; do
	keeper stop "$keeper"
done
