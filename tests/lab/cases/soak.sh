#!/bin/sh
# SPDX-License-Identifier: MIT
# 40 s of the soak: requests, kills, memory blocks that come and go, unloading, stress-ng and known
# content at once break nothing, and each of these has happened.
# lab: mem=6G
# lab: disk=2G
# lab: timeout=150
# lab: append=init_on_alloc=0
# lab: module-args=floor=1G
# lab: programs=stress-ng
# lab: alone=yes
# lab: debug-append=page_poison=1
# lab: needs=block-offlining
set -eu
. /lab/lib.sh

# The same again, as far as scheduling allows: SEED=N on the kernel's command line.
seed=${SEED:-$(date +%s)}

# A slow kernel gets further apart what takes it longer.
soak $((40 * PLAN_SLOWNESS)) "$seed" $((8 * PLAN_SLOWNESS)) "$PLAN_MODULE_ARGS" >/tmp/soak ||
	{ cat /tmp/soak; fail "the soak broke, with the seed $seed"; }
grep -v '^soak-json: ' /tmp/soak
sed -n 's/^soak-json: //p' /tmp/soak >/tmp/soak.json

# at_least POINTER NUMBER
at_least() {
	[ "$(json /tmp/soak.json "$1")" -ge "$2" ] || fail "$1 is less than $2"
}

at_least /requests_total 50
at_least /checks 4
at_least /reloads 1
at_least /unloads_refused 3
at_least /kills 10
at_least /kills_in_request 1
at_least /blocks_onlined 1
at_least /pages_migrated 1
at_least /bytes_verified 1000000000
at_least /stress_ng_rounds 1
assert_eq "bytes wrong" "$(json /tmp/soak.json /bytes_wrong)" 0
assert_eq "unplugged bytes" "$(unplugged_bytes)" 0
