#!/bin/sh
# SPDX-License-Identifier: MIT
# --within takes memory of the window only, all that can be had there, and nothing outside.
# lab: mem=6G
# lab: append=init_on_alloc=0
# lab: needs=low-memory
set -eu
. /lab/lib.sh

kpf save /tmp/baseline
first=0x140000000
last=0x147ffffff # 128 MiB

# assert_inside FILE: every range of that result.
assert_inside() {
	count=$(jsonget --len /ranges <"$1")
	[ "$count" -gt 0 ] || fail "$1 has no ranges"
	index=0
	while [ "$index" -lt "$count" ]; do
		start=$(json "$1" "/ranges/$index/start")
		end=$((start + $(json "$1" "/ranges/$index/size") - 1))
		if [ "$start" -lt $((first)) ] || [ "$end" -gt $((last)) ]; then
			fail "$(json "$1" "/ranges/$index/range") is outside the window"
		fi
		index=$((index + 1))
	done
}

memplugctl unplug 64M --within "$first-$last" --json >/tmp/some.json
assert_eq "done_size" "$(json /tmp/some.json /done_size)" 67108864
assert_inside /tmp/some.json

expect_status 64 memplugctl unplug 1G --within "$first-$last" --json >/tmp/rest.json
assert_inside /tmp/rest.json
assert_eq "stopped_by" "$(json /tmp/rest.json /stopped_by)" exhausted
[ "$(json /tmp/rest.json /done_size)" -le 67108864 ] || fail "the window gave more than it has"
memplugctl list --json >/tmp/list.json
assert_inside /tmp/list.json
kpf check /tmp/baseline

# Another size of range, the same window.
expect_status 1 memplugctl unplug 64M --within "$first+128M" --exact
expect_status 1 memplugctl unplug 4M --within 0x10000000+64M --json >/tmp/dma32.json 2>/tmp/err
assert_eq "errno of a window without managed memory" "$(json /tmp/dma32.json /error/errno)" ENXIO
cat /tmp/err
memplugctl plug --all
kpf check /tmp/baseline
