#!/bin/sh
# SPDX-License-Identifier: MIT
# However many nodes there are, no more claims run at a time than the parameter says, but side by side:
# two requests, one for each node, told by when each claim ended and how long it took.
# lab: mem=6G
# lab: numa=2
# lab: smp=4
# lab: module=none
# lab: append=init_on_alloc=0
# lab: timeout=180
# lab: alone=yes
set -eu
. /lab/lib.sh

tracing=/sys/kernel/tracing
[ -d $tracing/events ] || mount -t tracefs tracefs $tracing 2>/dev/null ||
	skip "this kernel has no tracing"

# Content, so that a claim takes its time.
mkdir -p /mnt
mount -t tmpfs -o size=2G,mpol=interleave tmpfs /mnt
for file in 1 2 3 4 5 6 7 8; do
	dd if=/dev/zero of=/mnt/$file bs=1M count=192 2>/tmp/dd || fail "$(cat /tmp/dd)"
done

# most_at_a_time: of the claims in /tmp/trace. A claim is over before its line is written, and the next
# one begins after that, so what is reckoned from the line never overlaps by mistake.
most_at_a_time() {
	awk '/ memplug_claim: / {
		match($0, /[0-9]+\.[0-9]+: memplug_claim/)
		end = substr($0, RSTART, RLENGTH - 15)
		match($0, /elapsed_ns=[0-9]+/)
		begin = end - substr($0, RSTART + 11, RLENGTH - 11) / 1e9
		printf "%.9f 1\n%.9f -1\n", begin, end
	}' /tmp/trace | sort -n -k1,1 -k2,2 | awk '{ n += $2; if (n > most) most = n } END { print most + 0 }'
}

for workers in 1 2 3; do
	insmod /lab/memplug.ko workers=$workers floor=64M
	kpf save /tmp/baseline
	echo mono >$tracing/trace_clock
	echo >$tracing/trace
	echo 1 >$tracing/events/memplug/memplug_claim/enable
	pids=
	for node in 0 1; do
		memplugctl unplug 1G --node $node --json >/tmp/result.$node.json 2>/dev/null &
		pids="$pids $!"
	done
	for pid in $pids; do
		wait "$pid" || [ $? = 64 ] || fail "a request ended otherwise"
	done
	echo 0 >$tracing/events/memplug/memplug_claim/enable
	cat $tracing/trace >/tmp/trace
	claims=$(grep -c ' memplug_claim: ' /tmp/trace)
	most=$(most_at_a_time)
	echo "workers=$workers: $claims claims, at most $most at a time"
	[ "$claims" -ge 16 ] || fail "too few claims to prove anything"
	[ "$most" -le $workers ] || fail "more than $workers at a time"
	[ "$workers" = 1 ] || [ "$most" -ge 2 ] || fail "one after the other"
	kpf check /tmp/baseline
	memplugctl plug --all --quiet >/dev/null
	kpf check /tmp/baseline
	rmmod memplug
done
