#!/bin/sh
# SPDX-License-Identifier: MIT
# What a model calls interesting (tests/model) happens once each: something waits in the middle
# (kmod/pause.c), and a memory block leaves, comes, stays, or others ask for the same just then.
# lab: kernel=debug
# lab: module=none
# lab: mem=6G
# lab: timeout=120
# lab: append=init_on_alloc=0
# lab: leaks=yes
# lab: needs=block-offlining
set -eu
. /lab/lib.sh

parameters=/sys/module/memplug/parameters
sysfs=/sys/devices/system/memory
size=$((0x$(cat $sysfs/block_size_bytes)))
subblock=4194304
rest=$((size - subblock))

waits_at() {
	[ "$(cat $parameters/paused 2>/dev/null)" = "$1" ]
}

# meanwhile POINT CMD...: runs it on the side, until it waits at that point. Its process is $aside.
meanwhile() {
	echo "$1" >$parameters/pause
	point=$1
	shift
	"$@" >/tmp/aside 2>&1 &
	aside=$!
	wait_for 20 waits_at "$point" || fail "nobody comes to $point: $(cat /tmp/aside)"
}

# go_on: what waits still goes on, and has to end well.
go_on() {
	[ -n "$(cat $parameters/paused)" ] || fail "it has gone on by itself"
	echo >$parameters/pause
	wait $aside || fail "it ends with $?: $(cat /tmp/aside)"
}

is_over() {
	! kill -0 "$1" 2>/dev/null
}

# Long enough for what does not wait to end.
still_waits() {
	sleep $((2 * PLAN_SLOWNESS))
	! is_over "$1" || fail "$2 does not wait"
}

take_offline() {
	echo offline >$sysfs/memory"$block"/state
}

# take_any_offline: a block in which the kernel has no page of its own; its number is $block then.
take_any_offline() {
	for block in $(seq 79 -1 40); do
		[ ! -e "$sysfs/memory$block" ] || ! take_offline 2>/dev/null || return 0
	done
	fail "no memory block goes offline"
}

bring_back() {
	echo online_kernel >$sysfs/memory"$block"/state
}

# first BYTES: so much of the block, from its beginning; last: its last subblock.
first() {
	printf '0x%x+%d' $((block * size)) "$1"
}

last() {
	printf '0x%x+%d' $(((block + 1) * size - subblock)) $subblock
}

# hold_block BYTES: so much of a block is unplugged, from its beginning, and the rest could be; its number
# is $block then. What is unplugged no page of the kernel's own comes into.
hold_block() {
	for block in $(seq 40 79); do
		[ -e "$sysfs/memory$block" ] || continue
		if memplugctl unplug "$(first "$1")" --exact --quiet >/dev/null 2>&1; then
			[ "$1" -lt "$size" ] || return 0
			! memplugctl unplug "$(last)" --exact --dry-run --quiet >/dev/null 2>&1 || return 0
			memplugctl plug --all --quiet >/dev/null
		fi
	done
	fail "no memory block can be unplugged"
}

is_unplugged() {
	[ "$(unplugged_bytes)" -eq "$1" ]
}

# as_before: all is plugged, and the kernel's flags of all pages, MemTotal and what is managed agree.
as_before() {
	assert_eq "unplugged bytes, $1" "$(unplugged_bytes)" 0
	assert_eq "managed bytes, $1" "$(managed_bytes)" "$managed"
	assert_eq "MemTotal, $1" "$(memtotal_kb)" "$total"
	kpf check /tmp/baseline
	echo "$1: as before"
}

total=$(memtotal_kb)
insmod /lab/obstruct.ko
insmod /lab/memplug.ko
managed=$(managed_bytes)
kpf save /tmp/baseline
rmmod memplug

# A block leaves, and another time comes, between the module's first event and its first look.
insmod /lab/memplug.ko pause=following &
aside=$!
wait_for 20 waits_at following || fail "loading does not wait"
take_any_offline
go_on
assert_eq "managed bytes without the block" "$(managed_bytes)" $((managed - size))
rmmod memplug
insmod /lab/memplug.ko pause=following &
aside=$!
wait_for 20 waits_at following || fail "loading does not wait"
bring_back
go_on
as_before "loading beside an event"

# A block leaves while a run of it is reserved and nothing claimed yet: the request gets nothing.
hold_block $rest
echo reserved >$parameters/pause
memplugctl unplug "$(last)" --quiet >/tmp/aside 2>&1 &
aside=$!
wait_for 20 waits_at reserved || fail "no claim comes"
take_offline
echo >$parameters/pause
! wait $aside || fail "memory that has left was unplugged"
assert_eq "unplugged bytes of what has left" "$(unplugged_bytes)" 0
bring_back
wait_for 20 is_unplugged $rest || fail "what was unplugged is not so again"
memplugctl plug --all --quiet >/dev/null
as_before "leaving before the claim"

# A block begins to leave between a claim and its entry in the books: it waits for that, and takes it along.
hold_block $rest
meanwhile claimed memplugctl unplug "$(last)" --quiet
take_offline &
offliner=$!
still_waits $offliner "memory hotplug"
go_on
wait $offliner || fail "the block does not go after the claim"
bring_back
wait_for 20 is_unplugged "$size" || fail "what was unplugged is not so again"
memplugctl plug --all --quiet >/dev/null
as_before "leaving during the claim"

# Between its first event and its last: the books are without the block, who looks at memory or takes some
# waits, who gives back does not, and what was given back is not wanted.
hold_block "$size"
meanwhile leaving take_offline
assert_eq "unplugged bytes while it leaves" "$(unplugged_bytes)" 0
assert_eq "managed bytes while it leaves" "$(managed_bytes)" $((managed - size))
for verb in status list; do
	memplugctl $verb >/dev/null
done
memplugctl map >/dev/null &
looker=$!
memplugctl unplug 64M --quiet >/dev/null &
unplugger=$!
still_waits $unplugger "an unplug"
still_waits $looker "a look"
memplugctl plug --all --quiet >/dev/null
go_on
wait $looker || fail "the look fails when the block has left"
wait $unplugger || fail "the unplug fails when the block has left"
bring_back
sleep 1
assert_eq "unplugged bytes when it is back" "$(unplugged_bytes)" $((64 << 20))
memplugctl plug --all --quiet >/dev/null
as_before "leaving beside requests"

# The same, and it stays: nobody wants its memory to be out any more.
hold_block "$size"
echo 1 >/sys/module/obstruct/parameters/refuse
meanwhile leaving sh -c "! echo offline 2>/dev/null >$sysfs/memory$block/state"
memplugctl plug --all --quiet >/dev/null
go_on
as_before "staying without being wanted"
# And here somebody does.
hold_block "$size"
meanwhile leaving sh -c "! echo offline 2>/dev/null >$sysfs/memory$block/state"
go_on
echo 0 >/sys/module/obstruct/parameters/refuse
assert_eq "unplugged bytes of what stays" "$(unplugged_bytes)" "$size"
memplugctl plug --all --quiet >/dev/null
as_before "staying"

# A subblock is with the kernel again, and the books do not say so yet: nobody else gets it, and no event
# comes between.
hold_block "$size"
meanwhile released memplugctl plug "$(last)" --quiet
expect_status 1 memplugctl unplug "$(last)" --quiet >/dev/null 2>&1
expect_status 1 memplugctl plug "$(last)" --quiet >/dev/null 2>&1
take_offline &
offliner=$!
still_waits $offliner "memory hotplug"
go_on
wait $offliner || fail "the block does not go after the plug"
bring_back
wait_for 20 is_unplugged $rest || fail "what was unplugged is not so again"
memplugctl plug --all --quiet >/dev/null
as_before "leaving during a plug"

# The last mapping of held memory has gone, and its descriptor not yet: it is held still, and no more
# when that has gone, too.
# shellcheck disable=SC2016  # the variable is of hold
meanwhile unmapped memplugctl hold 4M -- sh -c 'mapping read "${MEMPLUG_RANGES%%-*}"'
memplugctl plug --all --quiet >/dev/null 2>&1 || :
assert_eq "unplugged bytes of what is held" "$(unplugged_bytes)" $subblock
go_on
wait_for 20 is_unplugged 0 || fail "what was held does not come back"
as_before "unmapping"

# The module is going, nobody can ask it for anything, and a block leaves with what is unplugged there.
hold_block "$size"
meanwhile closed rmmod memplug
[ ! -e /dev/memplug ] || fail "there is a device node still"
take_offline
go_on
bring_back
assert_eq "MemTotal without the module" "$(memtotal_kb)" "$total"
insmod /lab/memplug.ko
as_before "leaving during the unloading"

# The block is on its way when the unloading begins, which waits for it.
hold_block "$size"
meanwhile leaving take_offline
rmmod memplug &
unloader=$!
still_waits $unloader "unloading"
go_on
wait $unloader || fail "the module does not go"
bring_back
insmod /lab/memplug.ko
as_before "unloading while it leaves"
