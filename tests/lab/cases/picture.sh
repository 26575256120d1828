#!/bin/sh
# SPDX-License-Identifier: MIT
# The map shows what the list says: after an unplug it differs from the map before in the cells of
# what was unplugged, and in no other.
# lab: mem=6G
# lab: append=init_on_alloc=0
set -eu
. /lab/lib.sh

# cells FILE: a line for each cell: its first byte and what it is.
cells() {
	memplugctl map --json >/tmp/map.json
	awk -F'[:,"}]+' '/"range"/ {
		for (i = 1; i < NF; i++) {
			if ($i == "start") start = $(i + 1)
			if ($i == "shade") print start, $(i + 1)
		}
	}' /tmp/map.json >"$1"
}

cells /tmp/before
[ "$(wc -l </tmp/before)" -ge 1024 ] || fail "the map has hardly any cell"
memplugctl unplug 0x180000000+64M --quiet >/dev/null
memplugctl unplug 256M --quiet >/dev/null
memplugctl unplug 32M --contiguous --align 32M --quiet >/dev/null
memplugctl list --json >/tmp/list.json
cells /tmp/after
memplugctl map | tail -n 20

# What the list says, cell by cell.
ranges=$(jsonget --len /ranges </tmp/list.json)
i=0
while [ $i -lt "$ranges" ]; do
	start=$(json /tmp/list.json /ranges/$i/start)
	size=$(json /tmp/list.json /ranges/$i/size)
	end=$((start + size))
	while [ "$start" -lt $end ]; do
		echo "$start unplugged"
		start=$((start + 4194304))
	done
	i=$((i + 1))
done >/tmp/listed
assert_eq "MiB listed" $(($(wc -l </tmp/listed) * 4)) 352

# Memory is in use by others meanwhile, so free and in_use may change places: not what is unplugged.
awk 'NR == FNR { before[$1] = $2; next } before[$1] != $2' /tmp/before /tmp/after >/tmp/differ
grep unplugged /tmp/differ >/tmp/changed
cmp /tmp/listed /tmp/changed || fail "the map does not show what the list says"
other=$(grep -vc unplugged /tmp/differ || :)
echo "$other other cells changed"
[ "$other" -le 4 ] || fail "$other cells changed that nobody has touched"
memplugctl plug --all --quiet >/dev/null
cells /tmp/again
! grep unplugged /tmp/again || fail "something is left on the map"
