#!/bin/sh
# SPDX-License-Identifier: MIT
# What scan says could be unplugged, an unplug of everything then gets: in an idle guest, with half
# and with every other of many files deleted, with unmovable pages all over, and with a full memory.
# lab: mem=4G
# lab: module=none
# lab: append=init_on_alloc=0
# lab: timeout=300
# lab: needs=low-2g
set -eu
. /lab/lib.sh

mkdir -p /mnt
mount -t tmpfs -o size=3G tmpfs /mnt

# judge STATE: within 5 % or 32 MiB.
judge() {
	expect_status 0 memplugctl scan --json --quiet >/tmp/scan.json
	forecast=$(json /tmp/scan.json /unpluggable_size)
	memplugctl unplug 64G --json --quiet >/tmp/result.json || [ $? -eq 64 ]
	got=$(json /tmp/result.json /done_size)
	difference=$((forecast > got ? forecast - got : got - forecast))
	echo "$1: $((forecast >> 20)) MiB said, $((got >> 20)) MiB had," \
		"stopped by $(json /tmp/scan.json /stopped_by) and $(json /tmp/result.json /stopped_by)"
	[ "$got" -gt 0 ] || fail "$1: nothing was had"
	[ "$difference" -le 33554432 ] || [ $((difference * 20)) -le "$got" ] ||
		fail "$1: the forecast is wrong by $((difference >> 20)) MiB"
	memplugctl plug --all --quiet >/dev/null
	# All that is plugged is told of once.
	parts=0
	for part in free movable maybe blocked; do
		parts=$((parts + $(json /tmp/scan.json /${part}_size)))
	done
	assert_eq "$1: sum of the parts" "$parts" "$(json /tmp/scan.json /plugged_size)"
}

# fill SIZE_IN_MIB COUNT: files, so many
fill() {
	number=0
	while [ "$number" -lt "$2" ]; do
		dd if=/dev/zero of=/mnt/"$number" bs=1M count="$1" 2>/tmp/dd || fail "$(cat /tmp/dd)"
		number=$((number + 1))
	done
}

# delete_every_other COUNT: of so many files
delete_every_other() {
	number=1
	while [ "$number" -lt "$1" ]; do
		rm /mnt/"$number"
		number=$((number + 2))
	done
}

insmod /lab/memplug.ko
kpf save /tmp/baseline
judge idle

# Within a range, and where a run may begin: before sprinkle, as the kernel likes to put pages of its
# own into what that has left, also between a scan and the unplug.
expect_status 0 memplugctl scan --within 0x140000000+256M --align 64M --json --quiet >/tmp/scan.json
assert_eq "within" "$(json /tmp/scan.json /within)" 0x0000000140000000-0x000000014fffffff
assert_eq "plugged there" "$(json /tmp/scan.json /plugged_size)" 268435456
assert_eq "alignment" $(($(json /tmp/scan.json /largest/0/start) % 67108864)) 0
size=$(json /tmp/scan.json /largest/0/size)
# If it can't be had, the log has to say why.
expect_status 0 memplugctl unplug "$size" --contiguous --align 64M --within 0x140000000+256M --json --quiet
memplugctl plug --all --quiet >/dev/null

fill 64 28
delete_every_other 28
judge coarse
rm /mnt/*

fill 1 1000
delete_every_other 1000
judge fine
rm /mnt/*

fill 64 28
number=0
while [ "$number" -lt 14 ]; do
	rm /mnt/"$number"
	number=$((number + 1))
done
judge half
rm /mnt/*
# How much room for a run there is, an unplug of one run agrees.
run=$(json /tmp/scan.json /largest/0/size)
[ "$run" -ge 67108864 ] || fail "no run of 64 MiB"

fill 64 $(($(awk '/^MemAvailable:/ { print $2 }' /proc/meminfo) * 3 / 4 / 65536))
judge full
rm /mnt/*
kpf check /tmp/baseline
rmmod memplug

insmod /lab/sprinkle.ko
insmod /lab/memplug.ko subblock_size="${PLAN_GRANULARITY_MIB}M" floor=16M
judge sprinkled
rmmod memplug
rmmod sprinkle
