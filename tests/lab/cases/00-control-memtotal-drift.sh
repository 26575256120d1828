#!/bin/sh
# SPDX-License-Identifier: MIT
# Control: MemTotal that differs at the end is found.
# lab: module=none
# lab: mem=4G
# lab: timeout=60
# lab: expect=memtotal-drift
# lab: needs=block-offlining

. /lab/lib.sh

# The last block: nothing but boot-time allocations, if any, keep one from going offline.
for block in /sys/devices/system/memory/memory3?; do
	if echo offline >"$block/state"; then
		echo "${block##*/} is offline"
		exit 0
	fi
done
fail "no memory block could be taken offline"
