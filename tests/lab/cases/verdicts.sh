#!/bin/sh
# SPDX-License-Identifier: MIT
# What a survey says of each subblock agrees with the kernel's own flags of its pages, also where
# thousands of the kernel's objects lie between pages that are free; and no claim is wasted there.
# lab: mem=6G
# lab: append=init_on_alloc=0
# lab: timeout=180
set -eu
. /lab/lib.sh

stay table >/tmp/address &
stayer=$!
wait_for 30 test -s /tmp/address || fail "no page table"
kpf save /tmp/baseline
status=0
verdicts >/tmp/crumbs || status=$?

insmod /lab/crumbs.ko || fail "no crumbs"
left=$(dmesg | sed -n 's/.*crumbs: \([0-9]*\) objects are left$/\1/p')
echo "$left objects are left"
[ "$left" -ge 5000 ] || fail "too few to prove anything"
verdicts >/tmp/crumbs || status=$?
subblock=$(cat /tmp/crumbs)
[ "$subblock" != 0 ] || fail "no subblock with crumbs is free otherwise: nothing is proven"

# In the way, named, and not even tried.
claims=$(status_value /counters/claims)
expect_status 1 memplugctl unplug "$(printf '0x%x+4M' "$subblock")" --json >/tmp/result.json 2>/dev/null
echo "at $subblock: $(json /tmp/result.json /blocked/0/reason)," \
	"page frame $(json /tmp/result.json /blocked/0/pfn)"
assert_eq "reason" "$(json /tmp/result.json /blocked/0/reason)" unmovable
[ $(($(json /tmp/result.json /blocked/0/pfn) / 1024)) = $((subblock / 4194304)) ] ||
	fail "the page frame is not of this subblock"
assert_eq "claims" "$(status_value /counters/claims)" "$claims"

# Of 256 MiB around it, what is had is had without claims in vain.
failed=$(status_value /counters/claims_failed)
window=$(printf '0x%x+256M' $((subblock / 268435456 * 268435456)))
memplugctl unplug 256M --within "$window" --json >/tmp/result.json 2>/dev/null || [ $? = 64 ] ||
	[ $? = 1 ]
failed=$(($(status_value /counters/claims_failed) - failed))
echo "$window: $(($(json /tmp/result.json /done_size) >> 20)) MiB had, $failed claims failed"
[ $failed -le 5 ] || fail "claims fail where crumbs are"
assert_eq "exit status of verdicts" $status 0
memplugctl plug --all --quiet >/dev/null
kpf check /tmp/baseline
kill $stayer
wait $stayer 2>/dev/null || :
rmmod crumbs
