#!/bin/sh
# SPDX-License-Identifier: MIT
# The module loads, takes 128 MiB by size, shows them, gives them back.
# lab: leaks=yes
# lab: debug-append=page_poison=1
# lab: central=yes
# lab: large=yes

. /lab/lib.sh

assert_eq "mode of /dev/memplug" "$(stat -c %a /dev/memplug)" 600
assert_eq "user of /dev/memplug" "$(stat -c %u /dev/memplug)" 0
assert_eq "unplugged memory after loading" "$(unplugged_bytes)" 0
before=$(memtotal_kb)

expect_status 0 memplugctl unplug 128M
assert_eq "unplugged memory" "$(unplugged_bytes)" $((128 << 20))
assert_eq "MemTotal" "$(memtotal_kb)" $((before - 131072))

memplugctl list --json >/tmp/list.json || fail "list ended with $?"
assert_eq "size of the first range" "$(json /tmp/list.json /ranges/0/size)" $((128 << 20))

expect_status 0 memplugctl plug --all
assert_eq "unplugged memory after plug --all" "$(unplugged_bytes)" 0
assert_eq "MemTotal after plug --all" "$(memtotal_kb)" "$before"
