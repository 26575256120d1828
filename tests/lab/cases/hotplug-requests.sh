#!/bin/sh
# SPDX-License-Identifier: MIT
# Requests and memory hotplug at the same time: while blocks go offline and come back, others unplug
# and plug, by size and in these very blocks. At the end everything is plugged and every account is
# right; nothing hangs, and no request fails for any other reason than that memory was not there.
# lab: mem=6G
# lab: append=init_on_alloc=0
# lab: timeout=180
# lab: alone=yes
# lab: debug-append=page_poison=1
# lab: needs=block-offlining
set -eu
. /lab/lib.sh

sysfs=/sys/devices/system/memory
block_size=$((0x$(cat $sysfs/block_size_bytes)))
seconds=$((PLAN_SLOWNESS > 1 ? 120 : 30))
managed=$(managed_bytes)
kpf save /tmp/baseline

going_on() {
	[ ! -e /tmp/over ]
}

# hotplug BLOCK...: each of them offline and back, again and again
hotplug() {
	rounds=0
	refused=0
	while going_on; do
		for memory_block in "$@"; do
			if timeout 2 sh -c "echo offline >$sysfs/memory$memory_block/state" 2>/dev/null; then
				rounds=$((rounds + 1))
				echo online_kernel >$sysfs/memory"$memory_block"/state
			else
				refused=$((refused + 1))
			fi
		done
	done
	echo "hotplug: $rounds times offline and back, $refused refused" >>/tmp/report
	[ "$rounds" -ge 5 ]
}

# requests ARGUMENTS...: unplug that, plug it again
requests() {
	count=0
	while going_on; do
		for verb in unplug plug; do
			status=0
			memplugctl $verb "$1" --json >"/tmp/request.$1.json" 2>/dev/null || status=$?
			case $status in
			0 | 64) ;;
			1)
				# nothing was there to be had, or the range is offline
				grep -q '"errno":"ENXIO"' "/tmp/request.$1.json" ||
					[ "$(json "/tmp/request.$1.json" /done_size)" = 0 ] ||
					{ cat "/tmp/request.$1.json"; return 1; }
				;;
			*)
				echo "$verb $1 ended with $status"
				return 1
				;;
			esac
			count=$((count + 1))
		done
	done
	echo "requests for $1: $count" >>/tmp/report
	[ "$count" -ge 5 ]
}

first=$(find_block)
blocks="$first $((first + 1)) $((first + 2)) $((first + 3))"
range=$(printf '0x%x+%d' $((first * block_size)) $((4 * block_size)))
pids=
# shellcheck disable=SC2086  # separate words
hotplug $blocks &
pids="$pids $!"
requests "$range" &
pids="$pids $!"
requests 512M &
pids="$pids $!"
sleep $seconds
: >/tmp/over
failed=0
for pid in $pids; do
	wait "$pid" || failed=$((failed + 1))
done
cat /tmp/report
[ $failed -eq 0 ] || fail "$failed of the loops failed"
for memory_block in $blocks; do
	[ "$(cat $sysfs/memory"$memory_block"/state)" = online ] ||
		echo online_kernel >$sysfs/memory"$memory_block"/state
done
memplugctl plug --all --quiet >/dev/null
assert_eq "managed bytes" "$(managed_bytes)" "$managed"
assert_eq "unplugged bytes" "$(unplugged_bytes)" 0
assert_eq "wanted bytes" "$(status_value /wanted_size)" 0
kpf check /tmp/baseline
