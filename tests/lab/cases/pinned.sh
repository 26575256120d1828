#!/bin/sh
# SPDX-License-Identifier: MIT
# A page with an extra reference keeps its own subblock, with the reason and its page frame, and no
# other; when the reference is gone, that subblock can be had too.
# lab: mem=6G
# lab: append=init_on_alloc=0
set -eu
. /lab/lib.sh

stay spliced >/tmp/address &
stayer=$!
wait_for 10 test -s /tmp/address || fail "no page"
address=$(cat /tmp/address)
subblock=$((address / 4194304 * 4194304))
range=$(printf '0x%x+4M' "$subblock")
around=$(printf '0x%x+32M' $((address / 33554432 * 33554432)))
kpf save /tmp/baseline

# check_blocked: one record is of the page; the others, if any, are of the kernel's own memory.
check_blocked() {
	pinned=0
	size=0
	record=0
	while [ "$record" -lt "$(jsonget --len /blocked </tmp/result.json)" ]; do
		size=$((size + $(json /tmp/result.json /blocked/$record/size)))
		reason=$(json /tmp/result.json /blocked/$record/reason)
		if [ "$reason" = pinned ]; then
			pinned=$((pinned + 1))
			assert_eq "start" "$(json /tmp/result.json /blocked/$record/start)" "$subblock"
			assert_eq "size" "$(json /tmp/result.json /blocked/$record/size)" 4194304
			assert_eq "pfn" "$(json /tmp/result.json /blocked/$record/pfn)" \
				$((address / 4096))
		else
			assert_eq "another reason" "$reason" unmovable
		fi
		record=$((record + 1))
	done
	assert_eq "records of the page" "$pinned" 1
}

for what in "$around" "32M --within $around"; do
	# shellcheck disable=SC2086  # separate words
	expect_status 64 memplugctl unplug $what --json >/tmp/result.json 2>/tmp/result.err
	cat /tmp/result.err
	check_blocked
	# All of the rest was had.
	assert_eq "done_size" "$(json /tmp/result.json /done_size)" $((33554432 - size))
	kpf check /tmp/baseline
	memplugctl plug --all --quiet >/dev/null
done
expect_status 1 memplugctl unplug 4M --contiguous --within "$range" --json >/tmp/result.json \
	2>/dev/null
assert_eq "done_size" "$(json /tmp/result.json /done_size)" 0
check_blocked

kill "$stayer"
wait "$stayer" 2>/dev/null || :
expect_status 0 memplugctl unplug "$range"
memplugctl plug --all --quiet >/dev/null
kpf check /tmp/baseline
