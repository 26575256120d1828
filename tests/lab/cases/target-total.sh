#!/bin/sh
# SPDX-License-Identifier: MIT
# A target that is told in MemTotal or as a change comes to what was forecast, and one that is saved is
# there again whenever the module is loaded.
# lab: mem=6G
# lab: module=none
# lab: append=init_on_alloc=0
set -eu
. /lab/lib.sh

mkdir -p "/lib/modules/$(uname -r)/updates"
cp /lab/memplug.ko "/lib/modules/$(uname -r)/updates"
busybox depmod
saved=/etc/modprobe.d/memplug-target.conf
wanted=$((4 << 20)) # kB

is_reached() {
	[ "$(status_value /target_state)" = reached ]
}

# The least number of subblocks with which it is 4 GiB or more.
assert_total() {
	[ "$(memtotal_kb)" -ge $wanted ] || fail "$1: MemTotal is $(memtotal_kb) kB"
	[ "$(memtotal_kb)" -lt $((wanted + unit)) ] || fail "$1: MemTotal is $(memtotal_kb) kB"
}

before=$(memtotal_kb)
modprobe memplug
unit=$(($(status_value /subblock_size) / 1024))
memplugctl target --total 4G --dry-run --json >/tmp/dry.json
assert_eq "unplugged after a dry run" "$(unplugged_bytes)" 0
assert_eq "the target after it" "$(status_value /target_size)" null
memplugctl target --total 4G --wait --timeout 60s --save
assert_total "--total"
total=$(memtotal_kb)
assert_eq "the forecast" "$(json /tmp/dry.json /total_size)" $((total * 1024))
memplugctl target
memplugctl target --by +512M --wait --timeout 60s
assert_eq "MemTotal after --by" "$(memtotal_kb)" $((total + 524288))
expect_status 1 memplugctl target --total 100G 2>/tmp/refusal
cat /tmp/refusal
grep -q "the most is" /tmp/refusal || fail "it does not say what can be"

cat $saved
rmmod memplug
assert_eq "MemTotal without the module" "$(memtotal_kb)" "$before"
modprobe memplug
wait_for 60 is_reached || fail "what was saved is not reached: $(memplugctl target)"
assert_total "loaded again"

memplugctl target none --save
[ ! -e $saved ] || fail "it is still saved"
memplugctl plug --all --quiet >/dev/null
rmmod memplug
modprobe memplug
assert_eq "the target after none" "$(status_value /target_size)" null
assert_eq "MemTotal at the end" "$(memtotal_kb)" "$before"
