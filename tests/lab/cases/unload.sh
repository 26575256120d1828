#!/bin/sh
# SPDX-License-Identifier: MIT
# rmmod with memory unplugged gives all of it back; with the device open it is refused.
# lab: mem=6G
# lab: module=none
# lab: append=init_on_alloc=0
set -eu
. /lab/lib.sh

before=$(memtotal_kb)
insmod /lab/memplug.ko
memplugctl unplug 1G
memplugctl unplug 256M --contiguous
assert_eq "MemTotal" "$(memtotal_kb)" $((before - 1310720))

exec 3</dev/memplug
! rmmod memplug 2>/tmp/rmmod.err || fail "rmmod succeeded with the device open"
cat /tmp/rmmod.err
assert_eq "unplugged bytes after the refusal" "$(unplugged_bytes)" 1342177280
exec 3<&-

rmmod memplug
assert_eq "MemTotal after rmmod" "$(memtotal_kb)" "$before"

insmod /lab/memplug.ko
assert_eq "unplugged bytes of a new load" "$(unplugged_bytes)" 0
# Nothing that the first load held still carries its mark.
kpf save /tmp/baseline
kpf check /tmp/baseline
