#!/bin/sh
# SPDX-License-Identifier: MIT
# Who reads all of memory through /proc/kcore finds zeroes where memory is unplugged, whatever was
# there before, and is in nobody's way while memory is unplugged and plugged under the reader. Before
# 5.14 /proc/kcore knows nothing of offline pages: there only the latter is to be seen.
# lab: mem=4G
# lab: append=init_on_alloc=0
# lab: timeout=180
set -eu
. /lab/lib.sh

size=$((512 << 20))
start=$((0x120000000))
moving=$((0x150000000))
kpf save /tmp/baseline

# Something to be found: nothing wipes a page that is freed.
kcore fill 1900
for range in $start $moving; do
	content=$(kcore count "$range" $size)
	echo "$content of $((size / 4096)) pages at $(printf '0x%x' "$range") are not empty"
	[ "$content" -ge $((size / 8192)) ] || fail "hardly anything to be found: nothing would be proven"
done

# As on the move below, a part will do: it is the unplugged ranges that are looked at.
memplugctl unplug "$(printf '0x%x+%d' $start $size)" --quiet >/dev/null || [ $? = 64 ] ||
	fail "unplug at $(printf '0x%x' $start)"
memplugctl list --json >/tmp/list.json
ranges=$(jsonget --len /ranges </tmp/list.json)
[ "$(unplugged_bytes)" -ge $((size / 2)) ] || fail "too little is unplugged: nothing would be proven"

leaves_offline_out=yes
case $(uname -r) in
5.10.*) leaves_offline_out=no ;;
esac
echo "/proc/kcore leaves offline pages out: $leaves_offline_out"

# read_unplugged: reads these ranges; all of their pages are empty.
read_unplugged() {
	pages=0
	for i in $(seq 0 $((ranges - 1))); do
		at=$(json /tmp/list.json "/ranges/$i/start")
		length=$(json /tmp/list.json "/ranges/$i/size")
		pages=$((pages + $(kcore count "$at" "$length")))
	done
	[ $leaves_offline_out = no ] || assert_eq "pages of unplugged memory that are not empty" $pages 0
}
read_unplugged

range=$(printf '0x%x+%d' $moving $size)
(
	rounds=0
	until [ -e /tmp/enough ]; do
		# A part will do: the kernel may have put a page of its own there.
		memplugctl unplug "$range" --quiet >/dev/null || [ $? = 64 ] || fail "unplug $range"
		memplugctl plug "$range" --quiet >/dev/null || fail "plug $range"
		rounds=$((rounds + 1))
	done
	echo $rounds >/tmp/rounds
) &
mover=$!
for _ in 1 2 3; do
	read_unplugged
	echo "$(kcore count $moving $size) pages are not empty in the memory that is on the move"
done
touch /tmp/enough
wait $mover || fail "unplug or plug failed beside a reader"
echo "unplugged and plugged $(cat /tmp/rounds) times meanwhile"
[ "$(cat /tmp/rounds)" -ge 3 ] || fail "hardly anything moved: nothing was proven"

kpf check /tmp/baseline
memplugctl plug --all --quiet >/dev/null
kpf check /tmp/baseline
