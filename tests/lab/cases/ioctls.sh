#!/bin/sh
# SPDX-License-Identifier: MIT
# Every ioctl, called wrongly in every way that the contract names, by 64-bit and 32-bit callers:
# the documented errno, and nothing changed.
# lab: mem=6G
# lab: timeout=180
# lab: leaks=yes
# lab: central=yes
# lab: large=yes
# lab: needs=programs-32,low-memory
set -eu
. /lab/lib.sh

kpf save /tmp/baseline
failed=
for table in ioctl_table ioctl_rights ioctl_values ioctl_results; do
	for program in "$table" "${table}32"; do
		"$program" || failed="$failed $program"
	done
done
[ -z "$failed" ] || fail "rows were bad in$failed"
assert_eq "unplugged bytes" "$(unplugged_bytes)" 0
kpf check /tmp/baseline
