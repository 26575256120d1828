#!/bin/sh
# SPDX-License-Identifier: MIT
# Every tracepoint fires and can be read, with what really happened in it; perf can read them, with
# the lines of docs/tracing.md.
# lab: mem=6G
# lab: programs=perf
# lab: append=init_on_alloc=0
# lab: needs=block-offlining
set -eu
. /lab/lib.sh

tracing=/sys/kernel/tracing
[ -d $tracing/events ] || mount -t tracefs tracefs $tracing 2>/dev/null ||
	skip "this kernel has no tracing"

# The kernel may have put a page into what was found free.
go_offline() {
	echo 0 >$tracing/events/memplug/enable
	block=$(find_block)
	echo 1 >$tracing/events/memplug/enable
	echo offline 2>/dev/null >/sys/devices/system/memory/memory"$block"/state
}
wait_for 10 go_offline || fail "no memory block goes offline"
echo online_kernel >/sys/devices/system/memory/memory"$block"/state
memplugctl unplug 0x180000000+16M --quiet >/dev/null
memplugctl plug 0x180000000+4M --quiet >/dev/null
first=$(first_pfn)
expect_status 1 memplugctl unplug "$(printf '0x%x+4M' $((first * 4096)))" --quiet 2>/dev/null
memplugctl plug --all --quiet >/dev/null
echo 0 >$tracing/events/memplug/enable
grep -v '^#' $tracing/trace >/tmp/trace

# fired NAME WORDS: a line of the tracepoint has these.
fired() {
	grep " memplug_$1: " /tmp/trace | grep -q -- "$2" || {
		grep " memplug_$1: " /tmp/trace | head -20
		fail "memplug_$1: no '$2'"
	}
}
fired request_start "operation=unplug flags=0x1 length=16777216 node=-1 background=0"
fired request_end "operation=unplug requested=16777216 done=16777216 already=0 stop=none"
fired request_end "operation=unplug requested=4194304 done=0 already=0 stop=exhausted"
fired blocked "$(printf 'start=0x%x reason=unmovable pfn=0x' $((first * 4096)))"
fired release "start=0x180000000 length=4194304"
size=$((0x$(cat /sys/devices/system/memory/block_size_bytes)))
for event in going_offline offline going_online online; do
	fired hotplug "$(printf 'event=%s start=0x%x length=%d result=0' $event $((block * size)) "$size")"
done
cut -d: -f2- /tmp/trace | cut -c1-160 | head -40
# The claims add up to what was unplugged.
awk '/ memplug_claim: / && /result=0/ {
	match($0, /length=[0-9]+/); sum += substr($0, RSTART + 7, RLENGTH - 7)
} END { print sum + 0 " bytes claimed"; exit sum != 16777216 }' /tmp/trace ||
	fail "the claims are not those that were made"

# As many as there are events: one that nobody tests would be missed here.
assert_eq "tracepoints" "$(find $tracing/events/memplug -name 'memplug_*' | wc -l)" \
	"$(grep -o ' memplug_[a-z_]*: ' /tmp/trace | sort -u | wc -l)"

# run_perf LINE: what perf itself tells is in /tmp/perf; on one stream with what its command tells,
# each would break the other's lines.
run_perf() {
	rm -f /tmp/perf
	sh -c "cd /tmp && $(echo "$1" | sed 's,^perf [a-z]* ,&-o /tmp/perf ,')" >/tmp/command 2>&1
}

# perf_shows WORDS LINE: as it stands in the document; it shows these words.
perf_shows() {
	run_perf "$2" || {
		cat /tmp/command /tmp/perf
		fail "$2"
	}
	grep -q -- "$1" /tmp/perf || {
		cat /tmp/command /tmp/perf
		fail "$2: no '$1'"
	}
}
perf_shows 'memplug:memplug_claim' 'perf stat -a -e memplug:* -- memplugctl unplug 256M'
perf_shows 'memplug:memplug_request_end(.*done: 67108864' 'perf trace --no-syscalls -a -e memplug:memplug_request_start,memplug:memplug_request_end -- memplugctl unplug 64M'
perf_shows 'memplug:memplug_claim(start: ' 'perf trace --no-syscalls -a -e memplug:memplug_claim -- memplugctl unplug 64M'
# Again and again, until perf has seen it: how long it takes to begin is its own business.
cycle_block() {
	while [ ! -e /tmp/seen ]; do
		echo offline 2>/dev/null >/sys/devices/system/memory/memory"$block"/state &&
			echo online_kernel >/sys/devices/system/memory/memory"$block"/state
		sleep 0.2
	done
}
cycle_block &
perf_shows 'memplug:memplug_hotplug(event: ' 'perf trace --no-syscalls -a -e memplug:memplug_hotplug -- sleep 1'
touch /tmp/seen
wait
perf_shows 'memplug:memplug_release(start: ' 'perf trace --no-syscalls -a -e memplug:memplug_release -- memplugctl plug 64M'
# The kernel's own memory is there, and perf ends as its command does.
run_perf 'perf trace --no-syscalls -a -e memplug:memplug_blocked -- memplugctl unplug 0x100000000+4M' || :
grep -q 'memplug:memplug_blocked(.*start: 4294967296' /tmp/perf || {
	cat /tmp/command /tmp/perf
	fail "perf trace does not show what was blocked"
}
memplugctl plug --all --quiet >/dev/null
