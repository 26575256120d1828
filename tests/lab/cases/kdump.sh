#!/bin/sh
# SPDX-License-Identifier: MIT
# A crash dump leaves unplugged memory out, all of it and nothing else; the crash kernel, which has
# little memory, gets no memplug.
# lab: mem=6G
# lab: append=crashkernel=256M init_on_alloc=0
# lab: debug-append=crashkernel=640M
# lab: programs=kexec,makedumpfile
# lab: vmlinuz=yes
# lab: expect-panic=sysrq triggered crash
# lab: timeout=180
# lab: needs=crash-kernel
set -eu
. /lab/lib.sh

pages=$(((1 << 30) / 4096))

# The crash kernel's memory has little room for a second system: the same files, the same init, and
# this case again, which goes on below.
before_the_crash() {
	kpf save /tmp/baseline
	memplugctl unplug 1G --quiet >/dev/null
	kpf check /tmp/baseline
	echo PLAN_LOAD=no >>/lab/plan
	cd /
	find . -xdev ! -path ./lab/vmlinuz | cpio -o -H newc >/tmp/crash.cpio
	kexec -p /lab/vmlinuz --initrd=/tmp/crash.cpio \
		--append="$(sed 's/crashkernel=[^ ]*//g' /proc/cmdline) nr_cpus=1 reset_devices"
	assert_eq "a crash kernel is loaded" "$(cat /sys/kernel/kexec_crash_loaded)" 1
	echo c >/proc/sysrq-trigger
	fail "the kernel did not crash"
}

after_the_crash() {
	free
	expect_status 1 insmod /lab/memplug.ko 2>/tmp/insmod
	cat /tmp/insmod
	grep -q 'No such device' /tmp/insmod || fail "memplug was refused for another reason"
	dmesg | grep 'memplug: not for a crash kernel' || fail "memplug does not say why"

	status=0
	makedumpfile -c -d 31 --message-level 22 /proc/vmcore /tmp/dump >/tmp/report 2>&1 || status=$?
	cat /tmp/report
	assert_eq "exit status of makedumpfile" "$status" 0
	ls -l /tmp/dump
	offline=$(sed -n 's/^ *Offline pages *: *//p' /tmp/report)
	assert_eq "offline pages that the dump leaves out" $((offline)) $pages
}

if [ -e /proc/vmcore ]; then
	after_the_crash
else
	before_the_crash
fi
