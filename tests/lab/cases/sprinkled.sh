#!/bin/sh
# SPDX-License-Identifier: MIT
# With an unmovable page in a third of the pageblocks, every other one can be had, in the smallest
# subblocks that the kernel allows (5.10: two pageblocks), and no claim is wasted on those that can't.
# lab: mem=4G
# lab: module=none
# lab: append=init_on_alloc=0
set -eu
. /lab/lib.sh

insmod /lab/sprinkle.ko
kept=$(dmesg | sed -n 's/.*sprinkle: node 0: \([0-9]*\) of .*/\1/p')
echo "$kept pageblocks have an unmovable page"
[ "$kept" -gt 200 ] || fail "too few to prove anything"

insmod /lab/memplug.ko subblock_size="${PLAN_GRANULARITY_MIB}M" floor=16M
subblock=$(status_value /subblock_size)
kpf save /tmp/baseline
before=$(kpf left "$subblock")
expect_status 64 memplugctl unplug 4G --json >/tmp/result.json 2>/dev/null
done=$(json /tmp/result.json /done_size)
left=$(kpf left "$subblock")
failed=$(status_value /counters/claims_failed)
echo "could be had: $before bytes; unplugged: $done; left: $left; $failed of" \
	"$(status_value /counters/claims) claims failed"
assert_eq "stopped_by" "$(json /tmp/result.json /stopped_by)" exhausted
# Of what could be had, 99 %.
[ $((left * 99)) -le "$done" ] || fail "too much is left"
[ "$failed" -le 10 ] || fail "too many claims failed"
kpf check /tmp/baseline
memplugctl plug --all --quiet >/dev/null
kpf check /tmp/baseline
rmmod memplug
rmmod sprinkle
