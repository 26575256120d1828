#!/bin/sh
# SPDX-License-Identifier: MIT
# Bad memory is out of use before services start: in a Debian with systemd that has the unit of
# contrib/, what was put into quarantine in one boot is out again in the next, before a service of
# multi-user.target starts. Nothing but its own end gives it back. A page that is in use is no failure
# of the unit: it is taken when it is free.
# lab: mem=6G
# lab: timeout=420
# lab: system=yes
# lab: module=none
# lab: files=contrib
set -eu
. /lab/lib.sh

units=/etc/systemd/system

# SERVICE PROPERTY: in microseconds since the machine was started.
moment() {
	systemctl show --value -p "$2" "$1"
}

# A service that notes what it finds when it starts.
add_memory_user() {
	cat >$units/memory-user.service <<-EOF
		[Unit]
		Description=Uses memory
		Before=lab-command.service
		[Service]
		Type=oneshot
		RemainAfterExit=yes
		ExecStart=/bin/sh -c 'memplugctl quarantine list --json >/run/found.json; cp /proc/meminfo /run'
		[Install]
		WantedBy=multi-user.target
	EOF
	systemctl enable memory-user.service
}

if [ ! -e /etc/memplug/quarantine ]; then
	cp /lab/contrib/memplug-quarantine.service $units/
	systemctl daemon-reload
	systemctl enable memplug-quarantine.service
	add_memory_user
	modprobe memplug
	# Far from both ends of the zone, where the kernel has its own while it boots.
	memplugctl unplug 4M --contiguous --within 0x140000000+1G --json >/tmp/result.json
	memplugctl plug --all --quiet >/dev/null
	memplugctl quarantine add "$(printf '0x%x+4K' $(($(json /tmp/result.json /ranges/0/start) + 0x5000)))"
	cat /etc/memplug/quarantine
	systemctl reboot
	sleep 60
	fail "the machine does not reboot"
fi

page=$(sed -n 's/^\(0x[0-9a-f]*\)-.*/\1/p' /etc/memplug/quarantine)
[ -n "$page" ] || fail "the file has no range: $(cat /etc/memplug/quarantine)"
assert_eq "the unit" "$(systemctl is-active memplug-quarantine.service)" active
cat /run/found.json
assert_eq "out when the service started" "$(json /run/found.json /out_size)" 4194304
assert_eq "wanted when it started" "$(json /run/found.json /wanted_size)" 0
assert_eq "the range" "$(json /run/found.json /ranges/0/start)" $((page / 4194304 * 4194304))
before=$(sed -n 's/^before=//p' /run/lab/state)
assert_eq "MemTotal when it started" "$(awk '/^MemTotal:/ { print $2 }' /run/meminfo)" \
	$((before - 4096))
out=$(moment memplug-quarantine.service ExecMainExitTimestampMonotonic)
start=$(moment memory-user.service ExecMainStartTimestampMonotonic)
echo "out $out us after the kernel's start, the service started at $start us"
[ "$out" -lt "$start" ] || fail "the service started first"

memplugctl plug --all
assert_eq "unplugged after plug --all" "$(unplugged_bytes)" 4194304
rmmod memplug 2>/tmp/refusal && fail "the module went away while memory is in quarantine"
cat /tmp/refusal
systemctl restart memplug-quarantine.service
assert_eq "unplugged after a restart of the unit" "$(unplugged_bytes)" 4194304

memplugctl quarantine remove "$page+4K"
assert_eq "unplugged at its end" "$(unplugged_bytes)" 0
assert_eq "MemTotal at its end" "$(memtotal_kb)" "$before"
grep "^0x" /etc/memplug/quarantine && fail "it is still in the file"
systemctl restart memplug-quarantine.service
assert_eq "the unit without a range" "$(systemctl is-active memplug-quarantine.service)" active

# add_pinned: the file has a page more, which a program has pinned at $address. What was given back
# last is used first: each try takes more of it out of the way.
add_pinned() {
	dd if=/dev/zero bs=1M count=8 >>/run/filling 2>/dev/null || fail "no room for other memory"
	: >/tmp/address
	stay spliced >/tmp/address &
	stays=$!
	wait_for 10 test -s /tmp/address || fail "no page is pinned"
	address=$(cat /tmp/address)
	echo "$address+1" >>/etc/memplug/quarantine
}

# in_the_way: what else is in its subblock. The kernel and file systems allocate from the same memory.
in_the_way() {
	memplugctl explain "$(printf '0x%x+4M' $((address / 4194304 * 4194304)))" --json \
		>/tmp/explained.json 2>/dev/null || :
	json /tmp/explained.json /subblocks/0/reason
}

is_settled() {
	[ "$(unplugged_bytes)" = 4194304 ] || [ "$(in_the_way)" = unmovable ]
}

# It may fail, so each step has to say so itself: the shell then goes on. It fails where something
# else has got into the subblock.
page_in_use() {
	add_pinned
	systemctl restart memplug-quarantine.service || fail "the unit failed for a page in use"
	assert_eq "the unit with a page in use" "$(systemctl is-active memplug-quarantine.service)" active
	assert_eq "its status" \
		"$(systemctl show --value -p ExecMainStatus memplug-quarantine.service)" 64
	assert_eq "unplugged while the page is in use" "$(unplugged_bytes)" 0
	kill $stays
	wait_for 60 is_settled || [ "$(in_the_way)" != null ] ||
		fail "the page is not taken when it is free"
	[ "$(unplugged_bytes)" = 4194304 ]
	was_taken=$?
	[ $was_taken = 0 ] || echo "in the way: $(in_the_way)"
	memplugctl quarantine remove --all || fail "no end of the quarantine"
	assert_eq "unplugged at the end of all" "$(unplugged_bytes)" 0
	return $was_taken
}

page_in_use || page_in_use || page_in_use ||
	fail "the kernel or a file system had a page in each subblock"
