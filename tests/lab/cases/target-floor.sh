#!/bin/sh
# SPDX-License-Identifier: MIT
# A target below the floor stops at the floor, says so, and goes on when there is room again: in
# seconds, once the program that was in the way has ended. A target below what can be had is tried
# all along, at little cost.
# lab: mem=6G
# lab: module-args=floor=3G
# lab: append=init_on_alloc=0
# lab: timeout=180
# lab: needs=low-2g
set -eu
. /lab/lib.sh

state_is() {
	[ "$(status_value /target_state)" = "$1" ]
}

available_kb() {
	awk '/^MemAvailable:/ { print $2 }' /proc/meminfo
}

kpf save /tmp/baseline
managed=$(managed_bytes)
# A debug kernel has reserved so much that 2 GiB can't go without undershooting the floor.
smaller=$((managed - (PLAN_SLOWNESS > 1 ? 1 : 2) * 1073741824))
expect_status 64 memplugctl target 0 --wait --timeout $((60 * PLAN_SLOWNESS))s --json \
	>/tmp/target.json 2>/tmp/target.err
cat /tmp/target.err
grep -q floor /tmp/target.err || fail "the tool does not say that the floor stopped it"
assert_eq "stopped_by" "$(json /tmp/target.json /stopped_by)" floor
assert_eq "state" "$(json /tmp/target.json /state)" floor
left=$(available_kb)
echo "unplugged $(unplugged_bytes) bytes, available: $left kB"
[ "$left" -ge 3145728 ] || fail "less than 3 GiB is available"
[ "$left" -le $((3145728 + 262144)) ] || fail "far more than the floor was left"
kpf check /tmp/baseline
memplugctl target none
memplugctl plug --all --quiet >/dev/null

# A program is in the way; it ends, and the target is reached.
keeper start program anon 1536M
expect_status 64 memplugctl target $smaller --wait --timeout $((60 * PLAN_SLOWNESS))s --quiet
state_is floor || fail "the state is not floor"
kpf check /tmp/baseline
keeper stop program
expect_status 0 memplugctl target $smaller --wait --timeout $((20 * PLAN_SLOWNESS))s --json \
	>/tmp/after.json
echo "reached $(json /tmp/after.json /elapsed_us) us after it had ended"
kpf check /tmp/baseline

# The same without being told: the worker sees for itself.
memplugctl target "$managed" --wait --timeout $((20 * PLAN_SLOWNESS))s --quiet
keeper start program anon 1536M
memplugctl target $smaller
wait_for 20 state_is floor || fail "the state is not floor"
keeper stop program
wait_for 10 state_is reached || fail "it is not reached within 10 s"
memplugctl target none
memplugctl plug --all --quiet >/dev/null
kpf check /tmp/baseline
