#!/bin/sh
# SPDX-License-Identifier: MIT
# A claim that fails although nothing was seen in its way: its run is split until the one subblock is
# left that can't be had, and all others are had, also if nothing else was in flight.
# lab: mem=6G
# lab: append=init_on_alloc=0
set -eu
. /lab/lib.sh

stay huge >/tmp/address &
stayer=$!
wait_for 10 test -s /tmp/address || fail "no huge page"
subblock=$(($(cat /tmp/address) / 4194304 * 4194304))
# With a neighbour that can be had, whichever it is.
around=$(printf '0x%x+8M' "$subblock")
if ! memplugctl unplug "$(printf '0x%x+4M' $((subblock + 4194304)))" --dry-run --quiet >/dev/null; then
	memplugctl unplug "$(printf '0x%x+4M' $((subblock - 4194304)))" --dry-run --quiet >/dev/null ||
		skip "the kernel's own memory is on both sides of the huge page"
	around=$(printf '0x%x+8M' $((subblock - 4194304)))
fi
kpf save /tmp/baseline

expect_status 64 memplugctl unplug "$around" --json >/tmp/result.json
failed=$(status_value /counters/claims_failed)
echo "$failed of $(status_value /counters/claims) claims failed"
[ "$failed" -ge 2 ] || fail "no claim failed late: this proves nothing"
assert_eq "done_size" "$(json /tmp/result.json /done_size)" 4194304
assert_eq "blocked" "$(jsonget --len /blocked </tmp/result.json)" 1
assert_eq "start" "$(json /tmp/result.json /blocked/0/start)" "$subblock"
assert_eq "size" "$(json /tmp/result.json /blocked/0/size)" 4194304
kpf check /tmp/baseline
memplugctl plug --all --quiet >/dev/null

kill "$stayer"
wait "$stayer" 2>/dev/null || :
expect_status 0 memplugctl unplug "$around"
memplugctl plug --all --quiet >/dev/null
kpf check /tmp/baseline
