#!/bin/sh
# SPDX-License-Identifier: MIT
# Where memory is zeroed, a run is claimed in pieces that don't take long. If a later one fails, what
# came before goes back: the same memory can be had as soon as nothing fails any more.
# lab: kernel=debug
# lab: mem=4G
# lab: append=init_on_alloc=1
# lab: timeout=60
# lab: expect-report=WARNING: inconsistent lock state
set -eu
. /lab/lib.sh

faults=/sys/kernel/debug/fail_function
echo alloc_piece >$faults/inject
printf '0x%x' -16 >$faults/alloc_piece/retval # EBUSY
echo 0 >$faults/probability
echo 0 >$faults/verbose
echo 2 >$faults/interval
countdown=1000000
echo $countdown >$faults/times

kpf save /tmp/baseline
start=$(first_pfn)
size=$((8 << 20))
had=0
calls=0
time=0
# What was given back last is used first, by the kernel as well: this is given back after each range.
cover=$(printf '0x%x+%d' $((start * 4096 + 64 * size)) $((8 * size)))
for window in $(seq 40 47); do
	range=$(printf '0x%x+%d' $((start * 4096 + window * size)) $size)
	# Every second call fails: if that is a run's first piece here, it is its second next time.
	# What failed is tried again in smaller runs, so some of it is had, or all.
	for _ in 1 2; do
		memplugctl unplug "$cover" --quiet >/dev/null 2>&1 || :
		echo 100 >$faults/probability
		memplugctl unplug "$range" --quiet >/dev/null 2>&1 || :
		echo 0 >$faults/probability
		memplugctl plug --all --quiet >/dev/null
	done
	# Each call takes one off `space`, and none fails while there is some left.
	echo $countdown >$faults/space
	echo 100 >$faults/probability
	# The kernel may have put a page of its own there.
	time_before=$(status_value /counters/claim_us)
	if memplugctl unplug "$range" --exact --quiet >/dev/null 2>&1; then
		time=$((time + $(status_value /counters/claim_us) - time_before))
		had=$((had + 1))
		calls=$((calls + countdown - $(cat $faults/space)))
	fi
	echo 0 >$faults/probability
	echo 0 >$faults/space
	memplugctl plug --all --quiet >/dev/null
done
failed=$((countdown - $(cat $faults/times)))
echo "$failed calls made to fail; $had of 8 ranges could be had afterwards, in $calls calls"
[ $failed -ge 8 ] || fail "hardly any call was made to fail"
[ $had -ge 4 ] || fail "memory is missing after a claim that failed half-way"
# A call may be for more only where it does not take long: 4 ms, and some for what is around it.
if [ $calls -lt $((had * size / (PLAN_GRANULARITY_MIB << 20))) ]; then
	[ $((time / had)) -lt 8000 ] || fail "calls for more than the granularity, which take long"
	[ $calls -gt $had ] || skip "this machine zeroes 8 MiB in $((time / had)) us: a range is one call"
fi
echo >$faults/inject
kpf check /tmp/baseline
