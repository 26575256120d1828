#!/bin/sh
# SPDX-License-Identifier: MIT
# As lab.movable, where the kernel zeroes what it hands out, and claims are made in short pieces.
# lab: mem=6G
# lab: disk=1G
# lab: module-args=floor=0
# lab: append=init_on_alloc=1
# lab: timeout=240
set -eu
. /lab/lib.sh

kpf save /tmp/baseline
echo 400 >/proc/sys/vm/nr_hugepages
assert_eq "huge pages" "$(cat /proc/sys/vm/nr_hugepages)" 400
dd if=/dev/zero of=/mnt/swap bs=1M count=256 2>/dev/null
mkswap /mnt/swap >/dev/null
swapon /mnt/swap

case $(uname -r) in
5.10.*) huge="" ;; # it does not move those
*) huge=hugetlb ;;
esac
movable_kinds anon thp shmem mlocked swap ksm $huge || fail "less was had than forecast"
echo 0 >/proc/sys/vm/nr_hugepages
kpf check /tmp/baseline
