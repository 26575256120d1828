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

expect_status 64 memplugctl unplug 3G --dry-run --json >/tmp/dry.json 2>/tmp/dry.txt
assert_eq "the dry run is stopped by" "$(json /tmp/dry.json /stopped_by)" commit_limit
expect_status 64 memplugctl unplug 3G --json >/tmp/result.json 2>/tmp/result.txt
cat /tmp/result.txt
assert_eq "it is stopped by" "$(json /tmp/result.json /stopped_by)" commit_limit
assert_eq "done, and forecast" "$(json /tmp/result.json /done_size)" "$(json /tmp/dry.json /done_size)"
grep -q "Committed_AS" /tmp/result.txt || fail "it is not said why"
echo "CommitLimit $(kib CommitLimit), Committed_AS $(kib Committed_AS) KiB"
# Two processes at least, and what each of them is promised.
sh -c 'sh -c true' || fail "nothing can start"
[ "$(kib CommitLimit)" -ge $(($(kib Committed_AS) + 100000)) ] || fail "nothing is left"

expect_status 1 memplugctl unplug 512M --exact --json >/tmp/exact.json 2>/tmp/exact.txt
assert_eq "all or nothing" "$(json /tmp/exact.json /stopped_by)" commit_limit
expect_status 1 memplugctl target 1G 2>/tmp/target.txt
grep -q "Committed_AS" /tmp/target.txt || fail "target does not say why: $(cat /tmp/target.txt)"
expect_status 125 memplugctl hold 1G -- true 2>/tmp/hold.txt
grep -q "Committed_AS" /tmp/hold.txt || fail "hold does not say why: $(cat /tmp/hold.txt)"
memplugctl scan --json --quiet >/tmp/scan.json
assert_eq "scan is stopped by" "$(json /tmp/scan.json /stopped_by)" commit_limit

# From here on nothing can start until the shell itself allows it again; nor does a file of tmpfs get
# any larger, so these two have their pages already.
dd if=/dev/zero bs=4k count=2 2>/dev/null | tr '\0' ' ' | tee /tmp/forced.json >/tmp/forced.txt
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
