#!/bin/sh
# SPDX-License-Identifier: MIT
# An unplug of more than there is stops at the floor: that much stays available, the tool says what
# stopped it, no program is killed and a new one still runs.
# lab: mem=6G
# lab: module-args=floor=3G
# lab: append=init_on_alloc=0
set -eu
. /lab/lib.sh

available_kb() {
	awk '/^MemAvailable:/ { print $2 }' /proc/meminfo
}

kpf save /tmp/baseline
assert_eq "floor_size" "$(status_value /floor_size)" 3221225472
echo "available before: $(available_kb) kB"
expect_status 64 memplugctl unplug 100G --json >/tmp/unplug.json 2>/tmp/unplug.err
cat /tmp/unplug.err
left=$(available_kb)
echo "unplugged $(json /tmp/unplug.json /done_size) bytes in" \
	"$(json /tmp/unplug.json /elapsed_us) us, available after: $left kB"
assert_eq "stopped_by" "$(json /tmp/unplug.json /stopped_by)" floor
[ "$left" -ge 3145728 ] || fail "less than 3 GiB is available"
# It is a floor and no cushion: what could be taken was taken.
[ "$left" -le $((3145728 + 262144)) ] || fail "far more than the floor was left"
grep -q floor /tmp/unplug.err || fail "the tool does not say that the floor stopped it"
kpf check /tmp/baseline

# Asked once more, it gives nothing, or what has become available since.
status=0
memplugctl unplug 100G --json >/tmp/again.json || status=$?
[ "$status" -eq 1 ] || [ "$status" -eq 64 ] || fail "asked again, unplug ended with $status"
assert_eq "stopped_by" "$(json /tmp/again.json /stopped_by)" floor

keeper start program anon 100M
keeper stop program
kills=$(awk '/^oom_kill / { print $2 }' /proc/vmstat)
assert_eq "OOM kills" "$kills" 0
assert_eq "requests that the floor stopped" "$(status_value /counters/unplug_requests)" 2
memplugctl plug --all
kpf check /tmp/baseline
