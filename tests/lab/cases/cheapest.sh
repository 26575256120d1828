#!/bin/sh
# SPDX-License-Identifier: MIT
# Half of memory is in files of 64 MiB, every other one deleted: the free half is taken and hardly
# anything is moved. In address order, with one worker, a great deal is. Both take the same size.
# lab: mem=5G
# lab: module=none
# lab: append=init_on_alloc=0
set -eu
. /lab/lib.sh

# unplug_with PARAMETERS...: how many pages it moves to unplug 768 MiB, on stdout.
unplug_with() {
	insmod /lab/memplug.ko floor=128M "$@"
	kpf save /tmp/baseline
	memplugctl unplug 768M --json >/tmp/result.json
	kpf check /tmp/baseline >&2
	assert_eq "done_size" "$(json /tmp/result.json /done_size)" 805306368
	memplugctl plug --all --quiet >/dev/null
	rmmod memplug
	json /tmp/result.json /pages_migrated
}

mount -t tmpfs -o size=3G tmpfs /tmp/ || fail "no tmpfs"
file=0
while [ "$file" -lt 48 ]; do
	dd if=/dev/zero of="/tmp/file.$file" bs=1M count=64 2>/dev/null
	file=$((file + 1))
done
while [ "$file" -gt 0 ]; do
	file=$((file - 2))
	rm "/tmp/file.$file"
done

cheap=$(unplug_with)
blind=$(unplug_with order=address workers=1)
echo "moved: $cheap pages cheapest first, $blind in address order"
[ "$((cheap * 10))" -lt "$blind" ] || fail "cheapest first moves too much"
# A quarter of what was taken.
[ "$blind" -gt 49152 ] || fail "nothing was in the way: this proves nothing"
