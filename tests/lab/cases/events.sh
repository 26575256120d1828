#!/bin/sh
# SPDX-License-Identifier: MIT
# watch shows exactly what other processes do, in order: 1,000 requests, none lost. Who reads too
# late is told how much is missing. While nothing happens it takes no CPU.
# lab: mem=6G
# lab: append=init_on_alloc=0
# lab: needs=block-offlining
# shellcheck disable=SC2154  # offline_block sets block and size
set -eu
. /lab/lib.sh

# watch NAME OPTIONS...: in the background, from before what comes next; its process is $watcher.
watch() {
	name=$1
	shift
	memplugctl watch --json "$@" >"/tmp/$name.json" 2>"/tmp/$name.err" &
	watcher=$!
	wait_for 10 grep -q "waiting for events" "/tmp/$name.err" || fail "$name does not watch"
}

# member EVENT: how many lines have it.
member() {
	grep -c "\"event\":\"$2\"" "/tmp/$1.json" || :
}

echo "# who waits takes no CPU"
watch idle --timeout 6s
ticks() {
	awk '{ print $14 + $15 }' /proc/$watcher/stat
}
sleep 1
before=$(ticks)
sleep 3
after=$(ticks)
expect_status 0 wait "$watcher"
assert_eq "events" "$(wc -l </tmp/idle.json)" 0
echo "$((after - before)) ticks of CPU in three seconds of nothing"
[ $((after - before)) -le 2 ] || fail "waiting takes CPU"

echo "# 1,000 requests"
start=$(printf '0x%x' $((0x180000000)))
ours="\"start\":6442450944,\"size\":4194304,"
all_shown() {
	[ "$(grep -c "$ours" /tmp/many.json)" -ge 1000 ]
}
watch many --timeout 600s
eventful 500 "$start" || fail "the requests did not work"
wait_for 20 all_shown || fail "events are missing"
kill "$watcher"
wait "$watcher" 2>/dev/null || :
# In order, none lost, each generation one more than the last, unplugged and plugged in turn. (A
# claim that meets pages in flux takes and gives back another subblock first, to drain them.)
awk -F'[:,]' -v ours="$ours" '
	{ for (i = 1; i <= NF; i++) if ($i ~ /"generation"/) generation = $(i + 1) }
	NR > 1 && generation != last + 1 { bad++ }
	{ last = generation; turn[index($0, ours) > 0]++ }
	(turn[index($0, ours) > 0] % 2 == 1) != /"event":"unplugged"/ { bad++ }
	!/"lost":0,/ || !/"cause":"request"/ { bad++ }
	END {
		print turn[1] " events of the subblock, " turn[0] + 0 " of others, " bad + 0 " bad"
		exit bad > 0 || turn[1] != 1000
	}
' /tmp/many.json || fail "the events are not what was done"

echo "# one that reads too late"
eventful 600 "$start" late || fail "an overflow is not told"

echo "# one that waits in read()"
eventful 1 "$start" waiting || fail "read() does not wait for an event"

echo "# a watch that was stopped meanwhile"
watch stopped --timeout 600s
kill -STOP "$watcher"
eventful 600 "$start" || fail "the requests did not work"
kill -CONT "$watcher"
is_told() {
	grep -q '"lost":[1-9]' /tmp/stopped.json && grep -q 'came too fast' /tmp/stopped.err
}
wait_for 20 is_told || fail "watch does not tell what it lost"
kill "$watcher"
wait "$watcher" 2>/dev/null || :
# What is shown and what is lost are all that there were.
awk -F'[:,}]' '
	{ for (i = 1; i <= NF; i++) {
		if ($i ~ /"generation"/) { last = $(i + 1); if (NR == 1) first = last }
		if ($i ~ /"lost"/) { lost += $(i + 1); if (NR == 1) before = $(i + 1) }
	} }
	END {
		print NR " events shown, " lost " lost"
		exit last - first + 1 + before != NR + lost
	}
' /tmp/stopped.json || fail "what is shown and what is lost do not add up"

echo "# target, hotplug, out of need"
managed=$(managed_bytes)
watch kinds --timeout 600s
memplugctl target $((managed - 67108864)) --wait --quiet
memplugctl target none --quiet
wait_for 20 offline_block 0 || fail "no memory block goes offline"
echo online_kernel >/sys/devices/system/memory/memory"$block"/state
memplugctl plug --all --quiet >/dev/null
all_plugged() {
	grep -q '"event":"plugged".*"total_size":0,' /tmp/kinds.json
}
wait_for 20 all_plugged || fail "the last event did not come"
kill "$watcher"
wait "$watcher" 2>/dev/null || :
for kind in target target_state unplugged went came plugged; do
	echo "$kind: $(member kinds $kind)"
	[ "$(member kinds $kind)" -gt 0 ] || fail "no event of the kind $kind"
done
grep -q '"event":"unplugged","cause":"target"' /tmp/kinds.json || fail "no cause target"
grep '"event":"went"' /tmp/kinds.json | grep -q "\"start\":$((block * size)),\"size\":$size," ||
	fail "the block that went is not told"
