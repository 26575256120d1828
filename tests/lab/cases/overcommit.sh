#!/bin/sh
# SPDX-License-Identifier: MIT
# With vm.overcommit_memory=2 an unplug leaves what processes have been promised: they still start
# and grow. It says so, as a dry run and a target do; --force takes more, and memplugctl says what
# came of that, too.
# lab: mem=6G
# lab: append=init_on_alloc=0
# lab: module-args=floor=0
set -eu
. /lab/lib.sh

kib() {
	awk -v name="$1:" '$1 == name { print $2 }' /proc/meminfo
}

kpf save /tmp/baseline
keeper start promised anon 1800M
echo 2 >/proc/sys/vm/overcommit_memory

expect_told 64 /tmp/dry.txt memplugctl unplug 3G --dry-run --json >/tmp/dry.json
assert_eq "the dry run is stopped by" "$(json /tmp/dry.json /stopped_by)" commit_limit
expect_told 64 /tmp/result.txt memplugctl unplug 3G --json >/tmp/result.json
cat /tmp/result.txt
assert_eq "it is stopped by" "$(json /tmp/result.json /stopped_by)" commit_limit
# Others are promised something meanwhile.
difference=$(($(json /tmp/result.json /done_size) - $(json /tmp/dry.json /done_size)))
difference=$((difference < 0 ? -difference : difference))
[ "$difference" -le 33554432 ] || fail "done and forecast differ by $difference bytes"
grep -q "Committed_AS" /tmp/result.txt || fail "it is not said why"
echo "CommitLimit $(kib CommitLimit), Committed_AS $(kib Committed_AS) KiB"
# Two processes at least, and what each of them is promised.
sh -c 'sh -c true' || fail "nothing can start"
[ "$(kib CommitLimit)" -ge $(($(kib Committed_AS) + 100000)) ] || fail "nothing is left"

expect_told 1 /tmp/exact.txt memplugctl unplug 512M --exact --json >/tmp/exact.json
assert_eq "all or nothing" "$(json /tmp/exact.json /stopped_by)" commit_limit
expect_told 1 /tmp/target.txt memplugctl target 1G
grep -q "Committed_AS" /tmp/target.txt || fail "target does not say why: $(cat /tmp/target.txt)"
expect_told 125 /tmp/hold.txt memplugctl hold 1G -- true
grep -q "Committed_AS" /tmp/hold.txt || fail "hold does not say why: $(cat /tmp/hold.txt)"
memplugctl scan --json --quiet >/tmp/scan.json
assert_eq "scan is stopped by" "$(json /tmp/scan.json /stopped_by)" commit_limit

# From here on nothing can start until the shell itself allows it again; nor does a file of tmpfs get
# any larger, so these two have their pages already.
dd if=/dev/zero bs=4k count=32 2>/dev/null | tr '\0' ' ' | tee /tmp/forced.json >/tmp/forced.txt
status=0
memplugctl unplug 1200M --force --json 1<>/tmp/forced.json 2<>/tmp/forced.txt || status=$?
echo 0 >/proc/sys/vm/overcommit_memory
echo "with --force: $status; CommitLimit $(kib CommitLimit), Committed_AS $(kib Committed_AS) KiB"
cat /tmp/forced.txt
[ "$(kib CommitLimit)" -lt "$(kib Committed_AS)" ] || fail "that is no test: there was room"
assert_eq "status with --force" "$status" 0
assert_eq "done with --force" "$(json /tmp/forced.json /done_size)" 1258291200
keeper stop promised
memplugctl plug --all --quiet
kpf check /tmp/baseline
