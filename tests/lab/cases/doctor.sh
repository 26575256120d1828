#!/bin/sh
# SPDX-License-Identifier: MIT
# doctor tells what is missing, and the command that it gives mends it.
# lab: mem=5G
# lab: module=none
# lab: devices=virtio-balloon
# lab: modules=virtio_pci,virtio_balloon
# lab: append=init_on_alloc=0
set -eu
. /lab/lib.sh

release=$(uname -r)
ko=/lab/memplug.ko

# examine STATUS OPTIONS...: what it finds is in /tmp/doctor.json.
examine() {
	status=$1
	shift
	expect_status "$status" memplugctl doctor --json --module $ko "$@" >/tmp/doctor.json
	memplugctl doctor --module $ko "$@" || :
}

# next: the command to type.
next() {
	json /tmp/doctor.json /next
}

type_it() {
	sh -c "$(next)"
}

# verdict_of NUMBER NAME WORD: the check at this place says so.
verdict_of() {
	assert_eq "name of check $1" "$(json /tmp/doctor.json "/checks/$1/name")" "$2"
	assert_eq "verdict on $2" "$(json /tmp/doctor.json "/checks/$1/verdict")" "$3"
}

# put OFFSET LETTER: changes what the module was built for.
put() {
	printf %s "$2" | dd of=/tmp/other.ko bs=1 seek=$((place + 9 + $1)) conv=notrunc 2>/dev/null
}

# A module for another kernel: it says what the kernel says as well. (With CRCs of all symbols, the
# kernel looks only at what comes after the release.)
cp $ko /tmp/other.ko
place=$(strings -t d $ko | awk '$2 ~ /^vermagic=/ { print $1; exit }')
put 0 9
put $((${#release} + 1)) X
ko=/tmp/other.ko
examine 1
verdict_of 2 module failed
json /tmp/doctor.json /checks/2/found | grep -q "is built for 9.*, and this is $release" ||
	fail "another kernel's module is not told"
assert_eq "next" "$(next)" "apt install linux-headers-$release"
! insmod $ko 2>/tmp/refusal || fail "the kernel takes that module"
dmesg | grep -q "version magic '9" || fail "the kernel refused it for another reason"
mkdir -p /lib/modules/"$release"/build
touch /lib/modules/"$release"/build/Makefile
examine 1
assert_eq "next" "$(next)" "make -C /lib/modules/$release/build M=\$PWD clean modules"

# A kernel that lacks something, as far as its configuration tells.
ko=/lab/memplug.ko
if [ -e /proc/config.gz ]; then
	zcat /proc/config.gz | grep -v CONFIG_CONTIG_ALLOC | gzip >/tmp/config.gz
	mount --bind /tmp/config.gz /proc/config.gz
else
	mkdir -p /boot
	printf 'CONFIG_64BIT=y\nCONFIG_MODULES=y\nCONFIG_MEMORY_HOTPLUG=y\n' >/boot/config-"$release"
fi
examine 1
verdict_of 0 config failed
json /tmp/doctor.json /checks/0/found | grep -q CONFIG_CONTIG_ALLOC || fail "no option is named"
next | grep -q '^scripts/config .*-e COMPACTION' || fail "next is $(next)"
umount /proc/config.gz 2>/dev/null || rm /boot/config-"$release"

# Nobody has loaded it.
examine 1
verdict_of 0 config ok
verdict_of 1 memory ok
verdict_of 2 module failed
verdict_of 3 device unknown
assert_eq "next" "$(next)" "insmod $ko"
type_it

# A balloon that has a device.
examine 0
verdict_of 2 module ok
verdict_of 3 device ok
verdict_of 5 others warning
assert_eq "next" "$(next)" "rmmod virtio_balloon"
type_it
examine 0
verdict_of 5 others ok
assert_eq "next" "$(next)" null

# No node.
rm /dev/memplug
examine 1
verdict_of 3 device failed
next | grep -q '^mknod ' || fail "next is $(next)"
type_it
examine 0
assert_eq "next" "$(next)" null

# No rights.
echo "nobody:x:65534:65534::/:/bin/sh" >/etc/passwd
expect_status 1 su nobody -c "memplugctl doctor --json" >/tmp/doctor.json
verdict_of 3 device failed
verdict_of 4 rights failed
assert_eq "next" "$(next)" "sudo memplugctl doctor"
