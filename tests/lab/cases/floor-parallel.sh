#!/bin/sh
# SPDX-License-Identifier: MIT
# Eight requests at once, each for more than there is, do not undershoot the floor together.
# lab: mem=6G
# lab: module-args=floor=3G
# lab: append=init_on_alloc=0
# lab: alone=yes
set -eu
. /lab/lib.sh

# MemAvailable, in kB. Forks nothing: it looks often, and takes nothing itself.
look() {
	while read -r key value _; do
		[ "$key" != MemAvailable: ] || available=$value
	done </proc/meminfo
}

# The least seen.
watch_available() {
	least=
	while [ ! -e /tmp/over ]; do
		look
		[ -n "$least" ] && [ "$least" -le "$available" ] || least=$available
		echo "$least" >/tmp/least
	done
}

kpf save /tmp/baseline
watch_available &
watcher=$!
pids=
for worker in 1 2 3 4 5 6 7 8; do
	memplugctl unplug 100G --json >"/tmp/unplug.$worker.json" 2>/dev/null &
	pids="$pids $!"
done
for pid in $pids; do
	status=0
	wait "$pid" || status=$?
	[ "$status" -eq 64 ] || [ "$status" -eq 1 ] || fail "a request ended with $status"
done
: >/tmp/over
wait "$watcher"
# At once: a debug kernel keeps several MiB for the programs that look at the results below.
look

sum=0
for worker in 1 2 3 4 5 6 7 8; do
	size=$(json "/tmp/unplug.$worker.json" /done_size)
	sum=$((sum + size))
	echo "request $worker: $((size / 1048576)) MiB," \
		"stopped by $(json "/tmp/unplug.$worker.json" /stopped_by)"
done
assert_eq "what the eight took" "$(unplugged_bytes)" "$sum"
echo "available: $available kB afterwards, $(cat /tmp/least) kB at the least"
[ "$available" -ge 3145728 ] || fail "less than 3 GiB is available"
# And they reach it: none of them is put off by what another has only reserved. The kernel's counters
# are off by some MiB, and a debug kernel's programs come and go with more.
[ "$available" -le $((3145728 + (PLAN_SLOWNESS > 1 ? 131072 : 16384))) ] ||
	fail "$available kB are left, and the floor is 3 GiB"
# While they run, the eight programs themselves come and go.
[ "$(cat /tmp/least)" -ge $((3145728 - 65536)) ] || fail "the floor was undershot meanwhile"
kpf check /tmp/baseline
memplugctl plug --all
kpf check /tmp/baseline
