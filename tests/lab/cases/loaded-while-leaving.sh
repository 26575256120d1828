#!/bin/sh
# SPDX-License-Identifier: MIT
# The module is loaded while a memory block is on its way offline, of which it sees the end only. What
# went is not managed, whoever saw it leave; what stays after all is; and a module that has come and
# gone meanwhile leaves no trace.
# lab: mem=6G
# lab: timeout=180
# lab: module=none
# lab: append=init_on_alloc=0
# lab: needs=block-offlining
set -eu
. /lab/lib.sh

sysfs=/sys/devices/system/memory
size=$((0x$(cat $sysfs/block_size_bytes)))
total=$(memtotal_kb)
insmod /lab/obstruct.ko
insmod /lab/memplug.ko
managed=$(managed_bytes)
rmmod memplug

is_leaving() {
	[ "$(cat /sys/module/obstruct/parameters/leaving)" = Y ]
}

has_ended() {
	! kill -0 "$offliner" 2>/dev/null
}

is_leaving_or_refused() {
	is_leaving || has_ended
}

# begin_offline: a block is on its way offline for as long as a page in it is pinned. Its number is in
# $block then, and who pins in $pin. 1: it did not go, as the kernel has a page of its own there.
begin_offline() {
	rm -f /tmp/address
	stay spliced >/tmp/address &
	pin=$!
	wait_for 10 test -s /tmp/address || fail "no page is pinned"
	block=$(($(cat /tmp/address) / size))
	sh -c "echo offline >$sysfs/memory$block/state" 2>/dev/null &
	offliner=$!
	wait_for 20 is_leaving_or_refused || fail "the block neither leaves nor is refused"
	! has_ended && return
	kill "$pin"
	# the next page is to be in another block
	dd if=/dev/zero of=/tmp/aside.$block bs=1M count=128 2>/dev/null
	return 1
}

end_pin() {
	kill "$pin"
	wait "$pin" || :
	wait_for 20 has_ended || fail "the block is still on its way"
	wait "$offliner" || :
}

# It goes.
wait_for 60 begin_offline || fail "no block with a pinned page leaves"
insmod /lab/memplug.ko
is_leaving || fail "the block has stopped leaving before the module was there"
end_pin
assert_eq "state of the block" "$(cat $sysfs/memory"$block"/state)" offline
assert_eq "managed bytes without it" "$(managed_bytes)" $((managed - size))
memplugctl scan >/dev/null
expect_status 1 memplugctl unplug "$(printf '0x%x+%d' $((block * size)) $size)" --quiet
kpf save /tmp/without
memplugctl unplug 512M --quiet >/dev/null
kpf check /tmp/without
memplugctl plug --all --quiet >/dev/null
echo online_kernel >$sysfs/memory"$block"/state
assert_eq "managed bytes with it back" "$(managed_bytes)" "$managed"
rmmod memplug

# It stays.
wait_for 60 begin_offline || fail "no block with a pinned page leaves"
insmod /lab/memplug.ko
is_leaving || fail "the block has stopped leaving before the module was there"
kill "$offliner"
wait_for 20 has_ended || fail "the block is still on its way"
assert_eq "state of the block" "$(cat $sysfs/memory"$block"/state)" online
assert_eq "managed bytes" "$(managed_bytes)" "$managed"
kill "$pin"
wait "$pin" || :
rmmod memplug

# It goes, and the module before it.
wait_for 60 begin_offline || fail "no block with a pinned page leaves"
insmod /lab/memplug.ko
rmmod memplug
is_leaving || fail "the block has stopped leaving before the module had gone"
end_pin
assert_eq "state of the block" "$(cat $sysfs/memory"$block"/state)" offline
insmod /lab/memplug.ko
assert_eq "managed bytes without it" "$(managed_bytes)" $((managed - size))
echo online_kernel >$sysfs/memory"$block"/state
assert_eq "managed bytes with it back" "$(managed_bytes)" "$managed"
assert_eq "MemTotal" "$(memtotal_kb)" "$total"
