#!/bin/sh
# SPDX-License-Identifier: MIT
# 100 random rounds of unplug and plug drift nowhere: MemTotal follows every one to the kB, all
# accounts agree in between and at the end, and free memory is not left in shreds.
# lab: mem=6G
# lab: timeout=180
# lab: append=init_on_alloc=0
# lab: debug-append=page_poison=1
# lab: central=yes
# lab: large=yes
set -eu
. /lab/lib.sh

# Pages of ZONE_NORMAL that are free in blocks of 2 MiB and more.
high_orders() {
	awk '$4 == "Normal" { pages += $14 * 512 + $15 * 1024 } END { print pages + 0 }' \
		/proc/buddyinfo
}

# The same rounds again: SEED=N on the kernel's command line.
seed=${SEED:-$(date +%s)}
echo "seed $seed"

# For each round: MiB, where its range would begin (MiB above 4 GiB), how to unplug, how to plug.
unit=$(($(status_value /subblock_size) / 1048576))
awk -v seed="$seed" -v unit="$unit" 'BEGIN {
	srand(seed)
	for (round = 1; round <= 100; round++)
		print round, unit * int(1 + rand() * 512 / unit), unit * int(rand() * 3584 / unit), \
			rand() < 0.5 ? "size" : "range", rand() < 0.5 ? "all" : "parts"
}' >/tmp/rounds

kpf save /tmp/baseline
kpf check /tmp/baseline
before=$(memtotal_kb)
orders=$(high_orders)
total=0
while read -r round mib offset how back; do
	where="${mib}M"
	if [ "$how" = range ]; then
		where=$(printf '0x%x+%dM' $((0x100000000 + offset * 1048576)) "$mib")
	fi
	status=0
	memplugctl unplug "$where" --json >/tmp/round.json 2>/tmp/round.err || status=$?
	case $status in
	0 | 64 | 1) ;;
	*) fail "round $round: unplug $where ended with $status: $(cat /tmp/round.err)" ;;
	esac
	taken=$(json /tmp/round.json /done_size)
	total=$((total + taken / 1048576))
	assert_eq "round $round: MemTotal after unplug $where" "$(memtotal_kb)" \
		$((before - taken / 1024))
	if [ "$back" = parts ] && [ "$taken" -gt $((unit * 1048576)) ]; then
		memplugctl plug "${unit}M" --quiet >/dev/null
		assert_eq "round $round: MemTotal after plug ${unit}M" "$(memtotal_kb)" \
			$((before - taken / 1024 + unit * 1024))
	fi
	[ $((round % 20)) -ne 0 ] || kpf check /tmp/baseline
	memplugctl plug --all --quiet >/dev/null
	assert_eq "round $round: MemTotal after plug --all" "$(memtotal_kb)" "$before"
done </tmp/rounds

kpf check /tmp/baseline
after=$(high_orders)
echo "100 rounds, $total MiB unplugged and plugged"
echo "free in blocks of 2 MiB and more: $orders pages before, $after after"
[ "$total" -gt 5000 ] || fail "the rounds hardly unplugged anything"
[ $((after * 100)) -ge $((orders * 85)) ] || fail "free memory was left in shreds"
