#!/bin/sh
# SPDX-License-Identifier: MIT
# Suspend to RAM: what is unplugged stays so, and a request that is on its way is held up, not cut
# short.
# lab: mem=6G
# lab: append=init_on_alloc=1
# lab: module-args=floor=256M
# lab: timeout=180
# lab: needs=sleep-states
set -eu
. /lab/lib.sh

suspends() {
	cat /sys/power/suspend_stats/success
}

kpf save /tmp/baseline
memplugctl unplug 1G --quiet >/dev/null
memplugctl list --json >/tmp/before.json
total=$(memtotal_kb)

suspend_to_ram 8 || fail "the guest does not suspend"
assert_eq "suspends" "$(suspends)" 1
memplugctl list --json >/tmp/after.json
cmp /tmp/before.json /tmp/after.json || fail "the list is another one after a suspend"
assert_eq "MemTotal after a suspend" "$(memtotal_kb)" "$total"
kpf check /tmp/baseline
memplugctl plug --all --quiet >/dev/null
kpf check /tmp/baseline

# Enough to be at work for seconds; a debug kernel is slower, and has not so much.
gib=$((PLAN_SLOWNESS > 1 ? 2 : 3))
memplugctl unplug ${gib}G --json >/tmp/large.json &
tool=$!
sleep 0.3
suspend_to_ram 8 || fail "the guest does not suspend while a request runs"
kill -0 $tool 2>/dev/null || fail "the request was done before the suspend: nothing was proven"
assert_eq "suspends" "$(suspends)" 2
expect_status 0 wait $tool
assert_eq "stopped_by" "$(json /tmp/large.json /stopped_by)" null
assert_eq "shortfall" "$(json /tmp/large.json /shortfall)" 0
assert_eq "unplugged" "$(unplugged_bytes)" $((gib << 30))
echo "${gib}G across a suspend: $(json /tmp/large.json /elapsed_us) us"
kpf check /tmp/baseline
memplugctl plug --all --quiet >/dev/null
kpf check /tmp/baseline
