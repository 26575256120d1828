#!/bin/sh
# SPDX-License-Identifier: MIT
# What docs/secure-boot.md says of a kernel that is locked down, as with Secure Boot: an unsigned
# module is refused, doctor says what to do, and a module that is loaded does all that it does
# elsewhere, in both modes; the kernel itself refuses hibernation, and /dev/mem to memtester.
# lab: mem=6G
# lab: timeout=200
# lab: programs=memtester
# lab: append=init_on_alloc=0
# lab: needs=sleep-states
set -eu
. /lab/lib.sh

# Not all kernels mount it where there is nothing but a kernel.
mount -t securityfs securityfs /sys/kernel/security 2>/dev/null || :
lockdown=/sys/kernel/security/lockdown
[ -e $lockdown ] || skip "this kernel has no lockdown"
kpf save /tmp/baseline

# A stretch that can be had: 64 MiB, at $start.
find_start() {
	start=$((0x1c0000000))
	until memplugctl unplug "$(printf '0x%x+64M' $start)" --exact --quiet >/dev/null 2>&1; do
		start=$((start - 67108864))
		[ $start -gt $((0x140000000)) ] || fail "no 64 MiB can be had"
	done
	memplugctl plug --all --quiet >/dev/null
	start=$(printf '0x%x' $start)
}

# All that memplug does, once.
use_all() {
	find_start
	expect_status 0 memplugctl hold "$start+16M" --timeout 20s -- \
		memtester -p "$start" -d /dev/memplug 4M 1 >/tmp/memtester
	grep -q "Bit Flip" /tmp/memtester || fail "memtester has tested nothing"
	expect_status 0 memplugctl test "$start+4M" --tests 0 --quiet >/dev/null
	expect_status 0 memplugctl target "$(($(managed_bytes) - 67108864))" --wait --quiet >/dev/null
	memplugctl target none >/dev/null
	memplugctl plug --all --quiet >/dev/null
	expect_status 0 memplugctl unplug "$start+64M" --quiet >/dev/null
	memplugctl explain "$start+64M" --json >/tmp/explain.json
	assert_eq "explain: start" "$(json /tmp/explain.json /subblocks/0/start)" "$((start))"
	expect_status 0 memplugctl quarantine add "$start+4K" --file /tmp/quarantine --quiet >/dev/null
	expect_status 0 memplugctl quarantine remove --all --file /tmp/quarantine --quiet >/dev/null
	for verb in status list scan metrics map "watch --timeout 1ms"; do
		# shellcheck disable=SC2086  # a verb and its options
		expect_status 0 memplugctl $verb >/dev/null
	done
	echo 0 >/sys/module/memplug/parameters/oom_give_back
	memplugctl plug --all --quiet >/dev/null
	wait_for 10 kpf check /tmp/baseline || fail "the accounts disagree"
}

for mode in integrity confidentiality; do
	echo "# $mode"
	echo $mode >$lockdown
	use_all
done

# restricted PROGRAM WHAT: the kernel has refused that to it, and for this reason.
restricted() {
	dmesg | grep "Lockdown: $1: $2 is restricted" || fail "$1: $2 is not restricted"
}
dmesg -c >/dev/null
! memtester -p 0x100000000 4K 1 >/dev/null 2>&1 || fail "memtester can use /dev/mem"
restricted memtester "/dev/mem,kmem,port"
! (echo disk >/sys/power/state) 2>/dev/null || fail "it hibernates"
restricted sh hibernation

rmmod memplug
dmesg -c >/dev/null
! insmod /lab/memplug.ko 2>/tmp/refusal || fail "the kernel takes an unsigned module"
cat /tmp/refusal
grep -q "Operation not permitted" /tmp/refusal || fail "it was refused for another reason"
dmesg | grep "Lockdown: insmod: unsigned module loading is restricted" ||
	fail "the kernel log does not say why"
expect_status 1 memplugctl doctor --json --module /lab/memplug.ko >/tmp/doctor.json
assert_eq "doctor" "$(json /tmp/doctor.json /checks/2/verdict)" failed
json /tmp/doctor.json /checks/2/found | grep -q "is not signed, and this kernel takes signed modules" ||
	fail "doctor does not say why"
