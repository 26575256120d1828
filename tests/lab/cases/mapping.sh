#!/bin/sh
# SPDX-License-Identifier: MIT
# Unplugged memory can be mapped, and tied to a descriptor: it is held as long as the mapping or the
# descriptor lives, however its process ends, and shows nothing of whoever had it before.
# lab: mem=6G
# lab: qmp=yes
# lab: append=init_on_alloc=0
# lab: central=yes
# lab: large=yes
# lab: needs=block-offlining
set -eu
. /lab/lib.sh

kpf save /tmp/baseline
mapping
mapping_huge

# From outside of the machine: what is written at an offset lies at that physical address.
mapping mark >/tmp/mark &
marker=$!
wait_for 10 test -s /tmp/mark || fail "nothing was written"
read -r address value </tmp/mark
qmp human-monitor-command "{\"command-line\": \"xp /1gx $address\"}" >/tmp/seen
echo "at $address: $(cat /tmp/seen), wrote $value"
grep -qi "0x0*${value#0x}" /tmp/seen || fail "it is not at its physical address"
rmmod memplug 2>/dev/null && fail "the module went away while memory is mapped"
kill -9 "$marker"
wait_for 10 kpf check /tmp/baseline || fail "the accounts disagree"
