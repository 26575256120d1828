#!/bin/sh
# SPDX-License-Identifier: MIT
# Each kind of page that can be moved is moved, also where many of its kind lie side by side: an
# unplug gets what its forecast says. Of huge pages in use, too, while their pool has free ones.
# lab: mem=6G
# lab: disk=1G
# lab: module-args=floor=0
# lab: append=init_on_alloc=0
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

# All that there is, with half of the pool in use: 200 huge pages have to be moved to where they are
# in nobody's way.
keeper start huge hugetlb 400M
assert_eq "huge pages left in the pool" "$(awk '/^HugePages_Free:/ { print $2 }' /proc/meminfo)" 200
memplugctl unplug 100G --dry-run --json --quiet >/tmp/forecast.json || [ $? -eq 64 ]
memplugctl unplug 100G --json --quiet >/tmp/result.json || [ $? -eq 64 ]
forecast=$(json /tmp/forecast.json /done_size)
got=$(json /tmp/result.json /done_size)
echo "everything: $((forecast >> 20)) MiB forecast, $((got >> 20)) MiB had," \
	"$(json /tmp/result.json /pages_migrated) pages moved"
# Others take and give memory meanwhile.
[ $((got + 33554432)) -ge "$forecast" ] || fail "everything: less was had than forecast"
keeper stop huge
memplugctl plug --all --quiet >/dev/null
echo 0 >/proc/sys/vm/nr_hugepages
kpf check /tmp/baseline
