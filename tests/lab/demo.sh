#!/bin/sh
# SPDX-License-Identifier: MIT
# The demonstration, run in a guest: takes memory away and gives it back, and checks each figure.
. /lab/lib.sh

say() { printf '\n-- %s\n' "$*"; }

# Prints a command as typed at a root shell, then runs it; its status must be the one given.
show() {
	printf '# %s\n' "$(shift; echo "$*")"
	expect_status "$@"
}

meminfo_line() {
	echo "# grep MemTotal /proc/meminfo"
	grep MemTotal /proc/meminfo
}

say "The module is loaded. It is to leave 3 GiB available, whatever it is asked for."
show 0 insmod /lab/memplug.ko floor=3G
show 0 memplugctl status --json
meminfo_line
before=$(memtotal_kb)

say "512 MiB less, wherever they are had cheaply."
show 0 memplugctl unplug 512M
meminfo_line
assert_eq "MemTotal after unplug 512M" "$(memtotal_kb)" $((before - 524288))
echo "-- MemTotal is lower by exactly 524288 kB."

say "One range, named by its physical address."
show 0 memplugctl unplug 0x140000000+64M
assert_eq "MemTotal after unplug 0x140000000+64M" "$(memtotal_kb)" $((before - 524288 - 65536))
show 0 memplugctl list

say "More than there is: it takes what it may, says why it stopped, and exits with 64."
show 64 memplugctl unplug 100G
available=$(awk '/^MemAvailable:/ { print $2 }' /proc/meminfo)
[ "$available" -ge $((3 << 20)) ] || fail "only $available kB are available"
echo "-- MemAvailable is $available kB: at least 3 GiB."

say "Once more, as a program reads it: nothing is left above the floor, so it exits with 1."
show 1 memplugctl --quiet unplug 100G --json >/tmp/result
cat /tmp/result
sed 1d /tmp/result >/tmp/result.json
assert_eq "stopped_by" "$(json /tmp/result.json /stopped_by)" floor

say "All of it goes back."
show 0 memplugctl plug --all
meminfo_line
assert_eq "MemTotal after plug --all" "$(memtotal_kb)" "$before"
echo "-- MemTotal is what it was."

say "The module is unloaded. What it had to say to the kernel log:"
show 0 rmmod memplug
dmesg | grep memplug
