#!/bin/sh
# SPDX-License-Identifier: MIT
# The module is loaded, does all kinds of work and is unloaded, 100 times: no cache of kernel
# objects has grown by one a round. (On the debug kernel, kmemleak has a look as well.)
# lab: module=none
# lab: mem=5G
# lab: timeout=500
# lab: append=init_on_alloc=0
# lab: leaks=yes
set -eu
. /lab/lib.sh

rounds=100

work() {
	insmod /lab/memplug.ko floor=128M
	memplugctl unplug 64M --contiguous --align 64M --quiet >/dev/null
	memplugctl target 2G --quiet >/dev/null
	expect_status 1 memplugctl unplug 1T --contiguous --quiet >/dev/null 2>&1
	memplugctl plug 16M --quiet >/dev/null
	# Every other time it is the unloading that plugs.
	[ $(($1 % 2)) -eq 0 ] || memplugctl plug --all --quiet >/dev/null
	rmmod memplug
}

# object_counts FILE: each cache and how many of its objects are in use. Shrinking a cache takes
# back what CPUs, and KASAN, hold of it.
object_counts() {
	for cache in /sys/kernel/slab/*/shrink; do
		echo 1 >"$cache"
	done
	awk 'NR > 2 { print $1, $2, $5 }' /proc/slabinfo | sort >"$1"
}

round=0
while [ "$round" -lt 10 ]; do
	work "$round"
	round=$((round + 1))
done

hundred_more() {
	round=0
	while [ "$round" -lt "$rounds" ]; do
		work "$round"
		round=$((round + 1))
	done
	object_counts "$1"
}

# grown BEFORE AFTER: the caches that have grown by an object a round, a line each. Of the slab that
# a CPU takes from, every object counts.
grown() {
	awk -v rounds="$rounds" '
		NR == FNR { before[$1] = $2; next }
		$2 - before[$1] >= rounds && $2 - before[$1] > 2 * $3 { print $1 }
	' "$1" "$2"
}

object_counts /tmp/before
[ "$(wc -l </tmp/before)" -ge 20 ] || fail "/proc/slabinfo tells of hardly any cache"
hundred_more /tmp/after
grown /tmp/before /tmp/after >/tmp/suspects
awk 'NR == FNR { before[$1] = $2; next }
	$2 - before[$1] > most { most = $2 - before[$1]; name = $1 }
	END { print "most grown: " name " by " most + 0 " objects" }' /tmp/before /tmp/after
# What others do, and what the kernel frees later, comes and goes; what is left behind each time
# grows again.
if [ -s /tmp/suspects ]; then
	echo "grown, to be seen again: $(tr '\n' ' ' </tmp/suspects)"
	hundred_more /tmp/later
	grown /tmp/after /tmp/later >/tmp/again
	left=$(grep -F -x -f /tmp/suspects /tmp/again || :)
	[ -z "$left" ] || fail "something is left behind each time: $left"
fi
