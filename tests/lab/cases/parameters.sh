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
# What wraps around is no smaller size: 2^64 and 4 MiB, as a number and by its letter.
for size in 18446744073713745920 17592186044420M 17592186044420m; do
	refused subblock_size=$size "subblock_size=$size: has to be"
done
refused workers=17 "workers=17: has to be from 0 to 16"
refused order=random "order=random: has to be cheapest or address"
for zones in "" dma32 normal,dma normal,movable all; do
	refused "zones=$zones" "zones=$zones: has to be normal or normal,dma32"
done
for target in some 1X 18446744073713745920 17179869185G; do
	refused "target=$target" "target=$target: has to be none or a size"
done

for parameters in subblock_size=${smallest}M subblock_size=128M workers=1 workers=16 order=cheapest \
	order=address zones=normal zones=normal,dma32 \
	"subblock_size=${smallest}M workers=3 order=address floor=1G"; do
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
	zones=*) assert_eq "unplugged below ZONE_NORMAL" "$(status_value /low_unplugged_size)" 0 ;;
	esac
	rmmod memplug
	assert_eq "$parameters: MemTotal after rmmod" "$(memtotal_kb)" "$before"
done

# A target is worked toward from the beginning; more than there is leaves all as it is.
is_reached() {
	[ "$(memplugctl status --json | jsonget /target_state)" = reached ]
}
insmod /lab/memplug.ko target=1536M
wait_for 30 is_reached || fail "the target is not reached: $(memplugctl status)"
assert_eq "plugged size" "$(status_value /plugged_size)" $((1536 << 20))
assert_eq "the parameter" "$(cat /sys/module/memplug/parameters/target)" 1536M
rmmod memplug
assert_eq "MemTotal after a target" "$(memtotal_kb)" "$before"
# Whatever size subblocks had when it was saved.
dmesg -c >/dev/null
insmod /lab/memplug.ko target=1610612737 subblock_size=32M
dmesg | grep "target=1610612737: whole subblocks are 1568 MiB" || fail "nothing is told"
assert_eq "target" "$(status_value /target_size)" $((1568 << 20))
rmmod memplug
for target in none 1T 18446744073709551615 0xfffffffffffffffe; do
	dmesg -c >/dev/null
	insmod /lab/memplug.ko target=$target
	assert_eq "target=$target" "$(status_value /target_size)" null
	assert_eq "target=$target: unplugged" "$(unplugged_bytes)" 0
	[ $target = none ] || dmesg | grep "target=$target: more than is managed" || fail "nothing is told"
	rmmod memplug
done

# The floor, and what low zones keep, can be changed while the module is there; what can't be meant
# changes nothing.
insmod /lab/memplug.ko
assert_eq "low_reserve by default" "$(cat /sys/module/memplug/parameters/low_reserve)" 268435456
assert_eq "low_reserve where no zone is low" "$(status_value /low_reserve_size)" 0
rmmod memplug
# It stands for the floor's default.
expect_status 1 insmod /lab/memplug.ko floor=18446744073709551615 2>/tmp/insmod
[ ! -e /sys/module/memplug ] || fail "no floor at all leaves the module behind"
for name in floor low_reserve; do
	for size in 16E 17E 16384P 18446744073709551616 99999999999999999999 0x10000000000000000 \
		-1 1X 1G1 G ""; do
		expect_status 1 insmod /lab/memplug.ko "$name=$size" 2>/tmp/insmod
		[ ! -e /sys/module/memplug ] || fail "$name=$size leaves the module behind"
	done
	insmod /lab/memplug.ko $name=1G
	parameter=/sys/module/memplug/parameters/$name
	for size in 16E 18446744073709551616 99999999999999999999 -1 1X ""; do
		if echo "$size" 2>/dev/null >"$parameter"; then
			fail "$name '$size' is taken as $(cat "$parameter")"
		fi
		assert_eq "$name after '$size'" "$(cat "$parameter")" 1073741824
	done
	for pair in 15E:17293822569102704640 2g:2147483648 0x40000000:1073741824 0:0 \
		18446744073709551614:18446744073709551614; do
		echo "${pair%:*}" >"$parameter" || fail "$name ${pair%:*} is refused"
		assert_eq "$name ${pair%:*}" "$(cat "$parameter")" "${pair#*:}"
	done
	rmmod memplug
done
