#!/bin/sh
# SPDX-License-Identifier: MIT
# A page that is in a per-CPU batch looks like kernel memory to a claim. Its subblock is left aside,
# the batches are drained, and the second try has it: without a single claim that failed.
# lab: mem=6G
# lab: append=init_on_alloc=0
set -eu
. /lab/lib.sh

claims() {
	echo "$(status_value /counters/claims) claims, $(status_value /counters/claims_failed) failed"
}

# try [OPTIONS...]: unplugs the subblock of a page that is in a batch at this moment; its range is
# the last word.
try() {
	rm -f /tmp/address
	taskset 1 stay batch >/tmp/address &
	wait_for 10 test -s /tmp/address || fail "no page in a batch"
	subblock=$(($(cat /tmp/address) / 4194304 * 4194304))
	range=$(printf '0x%x+4M' "$subblock")
	before=$(status_value /counters/claims)
	expect_status 0 memplugctl unplug --json "$@" "$range" >/tmp/result.json
	assert_eq "start" "$(json /tmp/result.json /ranges/0/start)" "$subblock"
	echo "unplug $* $range: $(claims)"
	# One that drains, and the one that was asked for.
	assert_eq "claims" $(($(status_value /counters/claims) - before)) 2
	assert_eq "claims that failed" "$(status_value /counters/claims_failed)" 0
	kill $!
	wait $! 2>/dev/null || :
	memplugctl plug --all --quiet >/dev/null
}

# The first CPU is left to who has the batch: what a process touches there goes into it, and fills it.
taskset -p 2 $$ >/dev/null
kpf save /tmp/baseline
try
try 4M --contiguous --within
kpf check /tmp/baseline
