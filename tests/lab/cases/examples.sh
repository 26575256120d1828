#!/bin/sh
# SPDX-License-Identifier: MIT
# The examples do what they say: 64 MiB inside a window, at the physical address that they tell, as a
# look from outside of the machine shows, and given back when they end.
# lab: mem=6G
# lab: qmp=yes
# lab: programs=python3
# lab: python=yes
# lab: files=examples
# lab: append=init_on_alloc=0
set -eu
. /lab/lib.sh

kpf save /tmp/baseline
window=$((0x140000000))
length=$((1 << 30))

# try NAME TEXT COMMAND...: it is to write TEXT at the beginning of its memory.
try() {
	name=$1
	text=$2
	shift 2
	mkfifo "/tmp/$name.in"
	"$@" "$window" "$length" <"/tmp/$name.in" >"/tmp/$name.out" &
	example=$!
	exec 3>"/tmp/$name.in"
	wait_for 30 test -s "/tmp/$name.out" || fail "$name tells nothing"
	cat "/tmp/$name.out"
	address=$(cut -d: -f1 "/tmp/$name.out")
	[ $((address >= window && address + 67108864 <= window + length)) = 1 ] ||
		fail "$name: $address is not in the window"
	[ $((address % 67108864)) = 0 ] || fail "$name: $address is not aligned"
	assert_eq "$name: unplugged" "$(unplugged_bytes)" 67108864
	qmp human-monitor-command "{\"command-line\": \"xp /8bx $address\"}" >/tmp/seen
	# shellcheck disable=SC2059,SC2046  # one character each
	seen=$(printf "$(grep -o ' 0x[0-9a-f][0-9a-f]' /tmp/seen | sed 's/ 0x/\\x/' | tr -d '\n')")
	echo "from outside: $seen"
	assert_eq "$name: from outside" "$seen" "$(echo "$text" | cut -c1-8)"
	exec 3>&-
	wait "$example" || fail "$name ended with $?"
	assert_eq "$name: left unplugged" "$(unplugged_bytes)" 0
}
try cpp "from C++" claim_and_map
PYTHONHOME=/lab/python try python "from Python" python3 -S -s /lab/examples/claim_and_map.py
expect_status 1 claim_and_map 0x140000000 0x2000000 </dev/null 2>/tmp/error
cat /tmp/error

# With the library: it tells what was had, and what not and why.
mkfifo /tmp/take.in
take 64M </tmp/take.in >/tmp/take.out &
example=$!
exec 3>/tmp/take.in
wait_for 30 grep -q 'took 64 MiB' /tmp/take.out || fail "take tells nothing"
cat /tmp/take.out
assert_eq "take: its range" "$(sed -n 2p /tmp/take.out)" \
	"$(memplugctl list | sed -n '2s/ .*//p')"
exec 3>&-
wait "$example" || fail "take ended with $?"
assert_eq "take: left unplugged" "$(unplugged_bytes)" 0
expect_status 2 take 1M </dev/null
echo 64G >/sys/module/memplug/parameters/floor
expect_status 1 take 64M </dev/null >/tmp/take.out
assert_eq "take: below the floor" "$(cat /tmp/take.out)" "took 0 B"
expect_status 1 take 64Q </dev/null
wait_for 10 kpf check /tmp/baseline || fail "the accounts disagree"
