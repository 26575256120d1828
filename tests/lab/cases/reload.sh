#!/bin/sh
# SPDX-License-Identifier: MIT
# 100 times insmod and rmmod, with memory unplugged in every tenth round: MemTotal is the same to
# the kB after each, and so is what the module manages.
# lab: mem=6G
# lab: timeout=180
# lab: module=none
# lab: append=init_on_alloc=0
set -eu
. /lab/lib.sh

before=$(memtotal_kb)
managed=
round=0
while [ "$round" -lt 100 ]; do
	round=$((round + 1))
	insmod /lab/memplug.ko
	if [ $((round % 10)) -eq 0 ]; then
		now=$(managed_bytes)
		assert_eq "round $round: managed bytes" "$now" "${managed:-$now}"
		managed=$now
		memplugctl unplug 256M --quiet >/dev/null
		assert_eq "round $round: MemTotal" "$(memtotal_kb)" $((before - 262144))
	fi
	rmmod memplug
	[ ! -e /dev/memplug ] || fail "round $round: the device outlived the module"
	assert_eq "round $round: MemTotal after rmmod" "$(memtotal_kb)" "$before"
done
echo "100 rounds, managed $managed bytes, MemTotal $before kB as before"

# Nothing is wrong with the memory that came back: all accounts agree once more.
insmod /lab/memplug.ko
kpf save /tmp/baseline
kpf check /tmp/baseline
