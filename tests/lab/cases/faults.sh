#!/bin/sh
# SPDX-License-Identifier: MIT
# Whatever can fail in the module is made to fail, once each: in every ioctl, while it is loaded,
# and in its workers. Calls end with the documented errno and all accounts stay right.
# lab: kernel=debug
# lab: module=none
# lab: mem=5G
# lab: timeout=300
# lab: append=init_on_alloc=1
# lab: leaks=yes
# lab: expect-report=WARNING: .* event_define_fields|WARNING: inconsistent lock state
set -eu
. /lab/lib.sh

faults=/sys/kernel/debug
countdown=1000000000
kinds="failslab fail_page_alloc fail_usercopy"

# Every kind: may fail where it would sleep as well, and counts.
for kind in $kinds fail_function; do
	echo 0 >"$faults/$kind/probability"
	echo 1 >"$faults/$kind/interval"
	echo $countdown >"$faults/$kind/times"
	echo 1 >"$faults/$kind/verbose"
	echo 0 >"$faults/$kind/verbose_ratelimit_interval_ms"
done
# It would print from where its breakpoint hit, which lockdep does not like.
echo 0 >$faults/fail_function/verbose
echo N >$faults/failslab/ignore-gfp-wait
echo N >$faults/fail_page_alloc/ignore-gfp-wait
echo 0 >$faults/fail_page_alloc/min-order

# count KIND: how often it was made to fail.
count() {
	echo $((countdown - $(cat "$faults/$1/times")))
}

# within START END: only what these addresses have called.
within() {
	for kind in failslab fail_page_alloc fail_usercopy; do
		echo "$1" >"$faults/$kind/require-start"
		echo "$2" >"$faults/$kind/require-end"
	done
}

echo "# loading"
# The kernel warns, once, when it has no memory for the fields of a tracepoint that a module brings.
echo 0 >/proc/sys/kernel/panic_on_warn
faults load /lab/memplug.ko floor=128M
echo 1 >/proc/sys/kernel/panic_on_warn
for kind in $kinds; do
	echo "$kind: $(count "$kind") times"
done

insmod /lab/memplug.ko floor=128M
kpf save /tmp/baseline
text=$(cat /sys/module/memplug/sections/.text)
size=$(awk '$1 == "memplug" { print $2 }' /proc/modules)
within "$text" "$(printf '0x%x' $((text + size)))"

echo "# ioctls"
for kind in $kinds; do
	count "$kind" >"/tmp/before.$kind"
done
faults ioctls
kpf check /tmp/baseline
for kind in failslab fail_usercopy; do
	taken=$(($(count "$kind") - $(cat "/tmp/before.$kind")))
	echo "$kind: $taken times"
	[ "$taken" -gt 0 ] || fail "no ioctl had a fault of the kind $kind"
done

echo "# reading"
for kind in failslab fail_page_alloc; do
	echo Y >$faults/$kind/task-filter
	echo 100 >$faults/$kind/probability
done
faults read || fail "read() does not say that there is no memory, or not only then"
for kind in failslab fail_page_alloc; do
	echo 0 >$faults/$kind/probability
	echo N >$faults/$kind/task-filter
done
kpf check /tmp/baseline

# Pages to move: a claim has to find room for them, which can fail as well.
mkdir -p /mnt
mount -t tmpfs -o size=2G tmpfs /mnt || fail "no tmpfs"
dd if=/dev/zero of=/mnt/filling bs=1M count=1536 2>/dev/null
start=$(first_pfn)
filled=$(printf '0x%x+512M' $((start * 4096 + (512 << 20))))

echo "# workers"
before=$(count fail_page_alloc)
slab_before=$(count failslab)
echo 20 >$faults/fail_page_alloc/probability
# A request allocates a dozen things: most of them should get as far as to claims.
echo 2 >$faults/failslab/probability
for _ in 1 2 3 4 5 6; do
	status=0
	memplugctl unplug "$filled" --timeout 20s --json >/tmp/result.json 2>/tmp/errors || status=$?
	echo "unplug ended with $status: $(json /tmp/result.json /done_size 2>/dev/null || cat /tmp/errors)"
	memplugctl plug --all --quiet >/dev/null 2>&1 || :
done
echo 0 >$faults/fail_page_alloc/probability
echo 0 >$faults/failslab/probability
memplugctl plug --all --quiet >/dev/null
kpf check /tmp/baseline
echo "fail_page_alloc: $(($(count fail_page_alloc) - before)) times," \
	"failslab: $(($(count failslab) - slab_before)) times"
[ "$(count fail_page_alloc)" -gt "$before" ] || fail "no worker had a page allocation that failed"

echo "# claims"
echo alloc_piece >$faults/fail_function/inject
# fail_claims ERRNO PROBABILITY TIMES COMMAND...: its exit status is in $status.
fail_claims() {
	printf '0x%x' "-$1" >$faults/fail_function/alloc_piece/retval
	echo "$3" >$faults/fail_function/times
	echo "$2" >$faults/fail_function/probability
	shift 3
	status=0
	"$@" || status=$?
	echo 0 >$faults/fail_function/probability
}
EINTR=4 ENOMEM=12 EBUSY=16 EINVAL=22
injected=0
for errno in $EBUSY $ENOMEM $EINTR $EINVAL; do
	# All of them: nothing is taken, and it ends.
	fail_claims "$errno" 100 $countdown \
		memplugctl unplug 64M --timeout 20s --json >/tmp/result.json 2>/dev/null
	assert_eq "exit status with errno $errno" $status 1
	assert_eq "done with errno $errno" "$(json /tmp/result.json /done_size)" 0
	echo "errno $errno: stopped by $(json /tmp/result.json /stopped_by)," \
		"$(json /tmp/result.json /blocked/0/reason 2>/dev/null || echo nothing blocked)"
	injected=$((injected + countdown - $(cat $faults/fail_function/times)))
	kpf check /tmp/baseline
	# Half of them: with zeroing a run is claimed in pieces, and what came before has to go back.
	for flag in "" --contiguous --exact; do
		# shellcheck disable=SC2086
		fail_claims "$errno" 50 $countdown \
			memplugctl unplug 128M $flag --timeout 20s --quiet >/dev/null 2>&1
		injected=$((injected + countdown - $(cat $faults/fail_function/times)))
		memplugctl plug --all --quiet >/dev/null
		kpf check /tmp/baseline
	done
done
echo "claims: $injected made to fail"
[ "$injected" -ge 8 ] || fail "hardly any claim was made to fail"
echo >$faults/fail_function/inject

# With nothing failing any more everything works, and unloading finds nothing amiss.
expect_status 0 memplugctl unplug 64M --quiet >/dev/null
memplugctl plug --all --quiet >/dev/null
rmmod memplug
for kind in $kinds; do
	echo "$kind: $(count "$kind") times in all"
	[ "$(count "$kind")" -gt 0 ] || fail "nothing had a fault of the kind $kind"
done
