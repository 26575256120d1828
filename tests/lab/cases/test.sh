#!/bin/sh
# SPDX-License-Identifier: MIT
# test: memtester, unchanged, on memory of the running machine, all that can be had of it. A byte that
# is stuck is found; its subblock is kept out, also after the next boot, and the rest comes back.
# lab: mem=3G
# lab: timeout=420
# lab: stuck=yes
# lab: programs=memtester
# lab: append=init_on_alloc=0
# lab: needs=low-2g
set -eu
. /lab/lib.sh

before=$(memtotal_kb)
kpf save /tmp/baseline
memplugctl unplug 64M --contiguous --json >/tmp/result.json
start=$(json /tmp/result.json /ranges/0/start)
memplugctl plug --all --quiet >/dev/null
range=$(printf '0x%x+16M' "$start")

echo "# good memory"
memplugctl test "$range" --tests 0
assert_eq "MemTotal" "$(memtotal_kb)" "$before"
kpf check /tmp/baseline

if [ "$PLAN_SLOWNESS" -gt 1 ]; then
	echo "no byte is stuck here: a debug kernel may put a page of its own there, and trip over it"
	exit
fi
echo "# a byte of a free page is stuck"
address=$((start + 0x2345678))
printf '@stuck 0x%x\n' "$address"
sleep 3
expect_status 1 memplugctl test --all --tests 0 --json >/tmp/test.json
for key in requested_size tested_size bad_size untested_size coverage memtester elapsed_us; do
	echo "$key: $(json /tmp/test.json /$key)"
done
echo "not tested: $(jsonget --len /untested </tmp/test.json) stretches, first" \
	"$(json /tmp/test.json /untested/0)"
subblock=$((address / 4194304 * 4194304))
assert_eq "stretches of bad memory" "$(jsonget --len /bad </tmp/test.json)" 1
assert_eq "which" "$(json /tmp/test.json /bad/0/start)" "$subblock"
assert_eq "how much" "$(json /tmp/test.json /bad_size)" 4194304
assert_eq "pages that are bad" "$(jsonget --len /bad/0/pages </tmp/test.json)" 1
assert_eq "the page" "$(json /tmp/test.json /bad/0/pages/0)" $((address / 4096 * 4096))
assert_eq "kept out" "$(json /tmp/test.json /bad/0/kept)" true
tested=$(json /tmp/test.json /tested_size)
[ $((tested * 100)) -ge $(($(managed_bytes) * 85)) ] || fail "less than 85 % were tested"
assert_eq "sums" $((tested + $(json /tmp/test.json /untested_size))) \
	"$(json /tmp/test.json /requested_size)"

assert_eq "MemTotal with the bad subblock out" "$(memtotal_kb)" $((before - 4096))
memplugctl plug --all --quiet >/dev/null
memplugctl quarantine list
assert_eq "MemTotal after plug --all" "$(memtotal_kb)" $((before - 4096))
grep -q "^$(printf '0x%016x' $((address / 4096 * 4096)))-" /etc/memplug/quarantine ||
	fail "the page is not in the file"
kpf check /tmp/baseline
memplugctl quarantine remove --all --quiet >/dev/null
assert_eq "MemTotal at the end" "$(memtotal_kb)" "$before"
