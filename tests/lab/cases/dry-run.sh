#!/bin/sh
# SPDX-License-Identifier: MIT
# --dry-run changes nothing, and in a quiet guest its forecast is what then happens.
# lab: mem=6G
# lab: append=init_on_alloc=0
# lab: needs=block-offlining
# shellcheck disable=SC2154  # offline_block sets block
set -eu
. /lab/lib.sh

kpf save /tmp/baseline
before=$(memtotal_kb)

# forecast WORDS...: a dry run of this, then the thing itself; prints the two figures.
forecast() {
	listed=$(memplugctl list --json)
	total=$(memtotal_kb)
	dry=0
	memplugctl "$@" --dry-run --json >/tmp/dry.json 2>/dev/null || dry=$?
	assert_eq "dry_run" "$(json /tmp/dry.json /dry_run)" true
	assert_eq "the list after a dry run" "$(memplugctl list --json)" "$listed"
	assert_eq "MemTotal after a dry run" "$(memtotal_kb)" "$total"
	real=0
	memplugctl "$@" --json >/tmp/real.json 2>/dev/null || real=$?
	promised=$(json /tmp/dry.json /done_size)
	taken=$(json /tmp/real.json /done_size)
	echo "$*: forecast $((promised / 1048576)) MiB (status $dry)," \
		"done $((taken / 1048576)) MiB (status $real)"
	assert_eq "exit status" "$real" "$dry"
	[ "$promised" -gt 0 ] || fail "nothing was forecast"
	difference=$((promised > taken ? promised - taken : taken - promised))
	[ $((difference * 10)) -le "$promised" ] || fail "the forecast is off by more than a tenth"
}

forecast unplug 512M
forecast plug 128M
forecast unplug 256M --contiguous --align 256M
forecast unplug 0x180000000+512M
forecast unplug 100G
forecast plug --all
assert_eq "MemTotal" "$(memtotal_kb)" "$before"
kpf check /tmp/baseline

# Not even what is wanted.
wait_for 20 offline_block 4194304 || fail "no memory block goes offline"
assert_eq "wanted" "$(status_value /wanted_size)" 4194304
memplugctl plug --all --dry-run --quiet >/dev/null 2>&1 || :
assert_eq "wanted after a dry run" "$(status_value /wanted_size)" 4194304
echo online_kernel >"/sys/devices/system/memory/memory$block/state"
memplugctl plug --all --quiet >/dev/null

counted=$(status_value /counters/unplug_requests)
memplugctl unplug 64M --dry-run --quiet >/dev/null
assert_eq "unplug requests after a dry run" "$(status_value /counters/unplug_requests)" "$counted"
