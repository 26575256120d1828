#!/bin/sh
# SPDX-License-Identifier: MIT
# Module parameters: a wrong value is refused with a line that says what would be right, and leaves
# nothing behind; a good one does what it says.
# lab: mem=4G
# lab: module=none
# lab: append=init_on_alloc=0
set -eu
. /lab/lib.sh

# refused PARAMETER WORDS: insmod fails, and the kernel log says why.
refused() {
	dmesg -c >/dev/null
	! insmod /lab/memplug.ko "$1" 2>/dev/null || fail "$1 is accepted"
	dmesg | grep "memplug: $2" || fail "$1 is refused without '$2'"
	[ ! -e /sys/module/memplug ] || fail "$1 leaves the module behind"
}

before=$(memtotal_kb)
smallest=$PLAN_GRANULARITY_MIB
for size in 3M $((smallest / 2))M; do
	refused subblock_size=$size \
		"subblock_size=$size: has to be a power of two from ${smallest}M to 128M"
done
refused subblock_size=256M "subblock_size=256M: has to be"
refused subblock_size=x "subblock_size=x: has to be"
refused workers=17 "workers=17: has to be from 0 to 16"
refused order=random "order=random: has to be cheapest or address"

for parameters in subblock_size=${smallest}M subblock_size=128M workers=1 workers=16 order=cheapest \
	order=address "subblock_size=${smallest}M workers=3 order=address floor=1G"; do
	# shellcheck disable=SC2086  # separate parameters
	insmod /lab/memplug.ko $parameters || fail "$parameters is refused"
	kpf save /tmp/baseline
	memplugctl unplug 512M --quiet >/dev/null || fail "$parameters: unplug ended with $?"
	assert_eq "$parameters: MemTotal" "$(memtotal_kb)" $((before - 524288))
	kpf check /tmp/baseline
	case $parameters in
	subblock_size=${smallest}M*)
		assert_eq "subblock_size" "$(status_value /subblock_size)" $((smallest << 20))
		;;
	subblock_size=128M) assert_eq "subblock_size" "$(status_value /subblock_size)" 134217728 ;;
	esac
	rmmod memplug
	assert_eq "$parameters: MemTotal after rmmod" "$(memtotal_kb)" "$before"
done
