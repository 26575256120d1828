#!/bin/sh
# SPDX-License-Identifier: MIT
# A memory error in a page that memplug holds: plug gives back everything but its subblock, which
# stays held with the reason hwpoison; a mapping of it gives SIGBUS; and unloading never frees the
# page itself.
# lab: mem=6G
# lab: append=init_on_alloc=0
set -eu
. /lab/lib.sh

poison=/sys/devices/system/memory/hard_offline_page
[ -e "$poison" ] || skip "this kernel has no $poison"
before=$(memtotal_kb)

memplugctl unplug 32M --contiguous --json >/tmp/unplug.json
start=$(json /tmp/unplug.json /ranges/0/start)
bad=$((start + 9 * 1048576))
# The kernel may well say that it could not do more than to mark the page.
printf '0x%x' "$bad" >"$poison" || :
dmesg | grep "Memory failure: 0x$(printf '%x' $((bad / 4096)))" ||
	fail "the kernel did not see the memory error"

expect_status 64 memplugctl plug 32M --json >/tmp/plug.json 2>/tmp/plug.err
cat /tmp/plug.err
assert_eq "done_size" "$(json /tmp/plug.json /done_size)" $((28 * 1048576))
assert_eq "reason" "$(json /tmp/plug.json /blocked/0/reason)" hwpoison
assert_eq "pfn" "$(json /tmp/plug.json /blocked/0/pfn)" $((bad / 4096))
assert_eq "blocked start" "$(json /tmp/plug.json /blocked/0/start)" $((start + 8 * 1048576))
assert_eq "blocked size" "$(json /tmp/plug.json /blocked/0/size)" 4194304
assert_eq "unplugged bytes" "$(unplugged_bytes)" 4194304
assert_eq "MemTotal" "$(memtotal_kb)" $((before - 4096))

expect_status 1 memplugctl plug --all --json >/tmp/all.json 2>/dev/null
assert_eq "done_size of plug --all" "$(json /tmp/all.json /done_size)" 0
assert_eq "reason of plug --all" "$(json /tmp/all.json /blocked/0/reason)" hwpoison
assert_eq "MemTotal" "$(memtotal_kb)" $((before - 4096))

# Who maps it sees its neighbours, and gets SIGBUS from the page itself.
expect_status 0 mapping read $((bad + 4096)) >/dev/null
expect_status $((128 + 7)) mapping read "$bad"

# Unloading frees what is good of that subblock, and not the bad page: it counts again, as the
# pages do that the kernel itself has poisoned, but nobody gets it.
rmmod memplug
assert_eq "MemTotal after rmmod" "$(memtotal_kb)" "$before"
insmod /lab/memplug.ko
assert_eq "unplugged bytes of a new load" "$(unplugged_bytes)" 0
range=$(printf '0x%x+4M' $((start + 8 * 1048576)))
expect_status 1 memplugctl unplug "$range" --json >/tmp/again.json 2>/dev/null
assert_eq "reason of a new try" "$(json /tmp/again.json /blocked/0/reason)" hwpoison
assert_eq "pfn of a new try" "$(json /tmp/again.json /blocked/0/pfn)" $((bad / 4096))
