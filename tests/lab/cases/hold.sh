#!/bin/sh
# SPDX-License-Identifier: MIT
# hold: memory is out for as long as a command runs, whatever becomes of memplugctl; memtester,
# unchanged, finds it at its physical address through the device.
# lab: mem=6G
# lab: timeout=200
# lab: programs=memtester
# lab: append=init_on_alloc=0
set -eu
. /lab/lib.sh

kpf save /tmp/baseline
total=$(memtotal_kb)
start=$((0x1c0000000))

# 16 MiB that can be had: in $range, from $start. Each time others, as the kernel may have put a page
# of its own into the last.
find_range() {
	for _ in $(seq 32); do
		start=$((start - 67108864))
		range=$(printf '0x%x+16M' $start)
		! memplugctl hold "$range" --dry-run -- true >/dev/null 2>&1 || return 0
	done
	fail "no range is free"
}

held() {
	[ "$(unplugged_bytes)" = 16777216 ]
}
back() {
	[ "$(memtotal_kb)" = "$total" ] && [ "$(unplugged_bytes)" = 0 ]
}

echo "# memtester runs to its end"
find_range
expect_status 0 memplugctl hold "$range" -- \
	memtester -p "$(printf '0x%x' $start)" -d /dev/memplug 4M 1 >/tmp/memtester
grep -q "Bit Flip" /tmp/memtester || fail "memtester has tested nothing"
assert_eq "MemTotal" "$(memtotal_kb)" "$total"

# In the background, with its pid in $holder and memtester's in $tester.
start_memtester() {
	find_range
	memplugctl hold "$range" -- \
		memtester -p "$(printf '0x%x' $start)" -d /dev/memplug 16M >/dev/null 2>&1 &
	holder=$!
	wait_for 20 pidof memtester >/dev/null || fail "memtester does not run"
	tester=$(pidof memtester)
	is_mapped() {
		memplugctl list --json | grep -q '"mapped":true'
	}
	wait_for 20 is_mapped || fail "memtester has nothing mapped"
	held || fail "16 MiB are not held"
}

echo "# memtester is killed"
start_memtester
memplugctl list
memplugctl list --json >/tmp/list.json
assert_eq "held_by" "$(json /tmp/list.json /ranges/0/held_by)" "$holder"
kill -9 "$tester"
status=0
wait "$holder" || status=$?
assert_eq "status" "$status" 137
assert_eq "MemTotal" "$(memtotal_kb)" "$total"

echo "# memplugctl is killed, memtester goes on"
start_memtester
kill -9 "$holder"
wait "$holder" 2>/dev/null || :
sleep 1
kill -0 "$tester" || fail "memtester is gone"
held || fail "it was given back while memtester runs"
expect_status 1 memplugctl plug "$range" --json >/tmp/plug.json 2>/tmp/plug.err
cat /tmp/plug.err
assert_eq "reason" "$(json /tmp/plug.json /blocked/0/reason)" mapped
expect_status 0 memplugctl plug --all 2>/tmp/all.err
cat /tmp/all.err
grep -q "16 MiB" /tmp/all.err || fail "plug --all does not say what it left"
held || fail "plug --all gave it back"
rmmod memplug 2>/dev/null && fail "the module went away"
kill "$tester"
wait_for 20 back || fail "it is not given back when memtester has ended"

echo "# a size, and what the command finds"
# shellcheck disable=SC2016  # the command expands it
expect_status 9 memplugctl hold 64M --contiguous --within 0x140000000+1G -- sh -c '
	echo "$MEMPLUG_RANGES" && echo "$MEMPLUG_JSON" >/tmp/env.json &&
	readlink /proc/self/fd/"$MEMPLUG_FD" && exit 9' >/tmp/command
cat /tmp/command
assert_eq "descriptor" "$(sed -n 2p /tmp/command)" /dev/memplug
assert_eq "start" "$(json /tmp/env.json /ranges/0/start)" "$(($(sed 's/-.*//;q' /tmp/command)))"
assert_eq "done_size" "$(json /tmp/env.json /done_size)" 67108864
back || fail "it is not given back"

echo "# a child that is left with the descriptor"
find_range
memplugctl hold "$range" -- sh -c 'sleep 1000 & echo $!' >/tmp/child
held || fail "the child does not hold it"
kill "$(cat /tmp/child)"
wait_for 10 back || fail "it is not given back when the child has ended"

echo "# what can't be held"
expect_status 127 memplugctl hold 16M -- /no/such/command 2>/dev/null
expect_status 126 memplugctl hold 16M -- /proc/meminfo 2>/dev/null
expect_status 125 memplugctl hold 5M -- true 2>/dev/null
expect_status 125 memplugctl hold 100G -- true 2>/tmp/much.err
cat /tmp/much.err
back || fail "something is left of it"
find_range
memplugctl unplug "$(printf '0x%x+4M' $((start + 4194304)))" --quiet >/dev/null
expect_status 125 memplugctl hold "$range" -- true 2>/tmp/already.err
cat /tmp/already.err
grep -q "unplugged already" /tmp/already.err || fail "it does not say why"
assert_eq "what was there before is left alone" "$(unplugged_bytes)" 4194304
memplugctl plug --all --quiet >/dev/null
wait_for 10 kpf check /tmp/baseline || fail "the accounts disagree"
