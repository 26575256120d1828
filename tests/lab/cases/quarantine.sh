#!/bin/sh
# SPDX-License-Identifier: MIT
# What is in quarantine stays out of use until somebody ends that: no plug, no target, no block that
# comes back and no rmmod gives it back. What is in use is taken as soon as it can be. The file
# brings it back after the module, as after a boot.
# lab: mem=6G
# lab: timeout=180
# lab: central=yes
# lab: large=yes
# lab: needs=block-offlining,low-memory
set -eu
. /lab/lib.sh

before=$(memtotal_kb)
kpf save /tmp/baseline
quarantine
kpf check /tmp/baseline

# How much is out, and how much is not yet.
out_ranges() {
	memplugctl quarantine list --json >/tmp/list.json
	echo "$(json /tmp/list.json /out_size) out, $(json /tmp/list.json /wanted_size) wanted"
}

# A page of a subblock that nobody uses.
unit=$(status_value /subblock_size)
memplugctl unplug "$unit" --contiguous --json >/tmp/result.json
start=$(json /tmp/result.json /ranges/0/start)
memplugctl plug --all --quiet >/dev/null
page=$(printf '0x%x' $((start + 0x5000)))
subblock=$(printf '0x%x+%d' "$start" "$unit")

memplugctl quarantine add "$page+4K"
assert_eq "what is out" "$(out_ranges)" "$unit out, 0 wanted"
assert_eq "MemTotal" "$(memtotal_kb)" $((before - unit / 1024))
grep -qi "^0x0*${page#0x}-" /etc/memplug/quarantine || fail "it is not in the file"
memplugctl plug --all
assert_eq "what is out after plug --all" "$(out_ranges)" "$unit out, 0 wanted"
expect_status 1 memplugctl plug "$subblock" 2>/tmp/refusal
cat /tmp/refusal
grep -q "quarantine remove" /tmp/refusal || fail "plug does not say what ends it"
rmmod memplug 2>/dev/null && fail "the module went away while memory is in quarantine"
kpf check /tmp/baseline

memplugctl quarantine remove "$page+4K"
assert_eq "what is out at its end" "$(out_ranges)" "0 out, 0 wanted"
assert_eq "MemTotal at its end" "$(memtotal_kb)" "$before"
grep -q "^0x" /etc/memplug/quarantine && fail "it is still in the file"

# From one module to the next, as from one boot to the next; in the form of another program. What was
# given back last is used first, by the kernel as well: so more is given back after it. Should the
# kernel have a page of its own there all the same, with another subblock.
cover=$((unit > (64 << 20) ? unit : 64 << 20))
# It may fail, so each step has to say so itself: the shell then goes on.
next_module() {
	memplugctl unplug "$unit" --contiguous --json --quiet >/tmp/result.json || fail "no room"
	start=$(json /tmp/result.json /ranges/0/start) || fail "no range"
	memplugctl unplug "$cover" --quiet >/dev/null || fail "no room to cover it"
	memplugctl quarantine add "$(printf '0x%x+4K' $((start + 0x5000)))" --quiet >/dev/null ||
		fail "what is unplugged can't be had"
	assert_eq "what is out before" "$(out_ranges)" "$unit out, 0 wanted"
	memplugctl quarantine export --format memmap >/tmp/memmap || fail "no export"
	memplugctl quarantine remove --all --quiet >/dev/null || fail "no end of the quarantine"
	memplugctl plug --all --quiet >/dev/null || fail "no plug"
	assert_eq "what is out at the end of one" "$(out_ranges)" "0 out, 0 wanted"
	rmmod memplug || fail "the module stays"
	insmod /lab/memplug.ko subblock_size="$unit" || fail "the module does not come back"
	applied=0
	memplugctl quarantine apply /tmp/memmap --quiet || applied=$?
	if [ "$(out_ranges)" = "$unit out, 0 wanted" ]; then
		assert_eq "exit status of apply" $applied 0
		return
	fi
	cat /tmp/memmap
	memplugctl explain "$(printf '0x%x+%d' "$start" "$unit")" --json >/tmp/explained.json 2>/dev/null
	why=$(json /tmp/explained.json /subblocks/0/reason)
	echo "apply: in the way is $why"
	memplugctl quarantine remove --all --quiet >/dev/null
	[ "$why" = unmovable ] || fail "what apply can't have is $why"
	return 1
}
wait_for 60 next_module || fail "apply takes nothing out"
cat /tmp/memmap
memplugctl quarantine remove --all --quiet >/dev/null

# Memory of another zone can't be had, and is not remembered.
expect_status 1 memplugctl quarantine add 0x2000000+4K --json >/tmp/low.json
assert_eq "why not" "$(json /tmp/low.json /refused/0/why)" zone
grep -q "^0x" /etc/memplug/quarantine && fail "what can't be had is in the file"

# keep_page HOW: a program keeps a page at $address, with none of the kernel's own in its subblock. What
# was given back last is used first, by the kernel as well: each try takes more of it out of the way.
keep_page() {
	dd if=/dev/zero bs=1M count=8 >>/tmp/filling 2>/dev/null
	: >/tmp/address
	stay "$1" >/tmp/address &
	keeper=$!
	wait_for 10 test -s /tmp/address || fail "no page is $1"
	address=$(cat /tmp/address)
	memplugctl explain "$(printf '0x%x+%d' $((address / unit * unit)) "$unit")" --json \
		>/tmp/explained.json 2>/dev/null
	[ "$(json /tmp/explained.json /subblocks/0/reason)" != unmovable ] && return
	kill "$keeper"
	return 1
}

# In use, and movable: its content moves. Pinned: as soon as that is over. Not with large subblocks:
# a page of the kernel is in most of them.
if [ "$unit" -le $((4 << 20)) ]; then
	wait_for 30 keep_page locked || fail "no page is locked apart from the kernel's"
	memplugctl quarantine add "$address+1" --no-save
	memplugctl quarantine remove --all --no-save
	kill "$keeper"
	wait_for 30 keep_page spliced || fail "no page is pinned apart from the kernel's"
	expect_status 64 memplugctl quarantine add "$address+1" --no-save --timeout 1s
	assert_eq "what is pinned" "$(out_ranges)" "0 out, $unit wanted"
	kill "$keeper"
	is_out() {
		[ "$(out_ranges)" = "$unit out, 0 wanted" ]
	}
	wait_for 60 is_out || fail "it is not taken when it is free"
	memplugctl quarantine remove --all --no-save
	rm /tmp/filling
fi
assert_eq "MemTotal after all" "$(memtotal_kb)" "$before"
kpf check /tmp/baseline
