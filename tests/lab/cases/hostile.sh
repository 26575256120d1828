#!/bin/sh
# SPDX-License-Identifier: MIT
# Eight processes unplug and plug at random for two minutes, are killed in the middle of requests,
# and the module is unloaded whenever it lets itself be: at the end all accounts agree, all of it
# plugs back, and the content that was moved about all the time is whole.
# lab: mem=6G
# lab: timeout=300
# lab: append=init_on_alloc=0
# lab: alone=yes
# lab: debug-append=page_poison=1
set -eu
. /lab/lib.sh

uptime_s() {
	cut -d. -f1 /proc/uptime
}

# Unloading has to be refused while the device is open, and to leave nothing behind otherwise. It
# is not tried in the last seconds: what is unplugged then has to be there for the accounts.
unload_all_the_time() {
	refused=0
	reloaded=0
	end=$(($(uptime_s) + 100))
	while [ "$(uptime_s)" -lt "$end" ]; do
		if rmmod memplug 2>/dev/null; then
			[ ! -e /dev/memplug ] || fail "the device outlived the module"
			insmod /lab/memplug.ko || fail "the module does not load again"
			reloaded=$((reloaded + 1))
			# Time for somebody to come in between.
			sleep 0.5
		else
			refused=$((refused + 1))
		fi
		sleep 0.1
	done
	echo "rmmod: $refused times refused, $reloaded times done and loaded again"
	if [ "$refused" -eq 0 ] || [ "$reloaded" -eq 0 ]; then
		fail "rmmod was not seen both ways"
	fi
}

# The same again, as far as scheduling allows: SEED=N on the kernel's command line.
seed=${SEED:-$(date +%s)}

keeper start anon anon 300M
keeper start tmpfs file /tmp/content 500M
kpf save /tmp/baseline

unload_all_the_time &
unloader=$!
stress 8 120 "$seed"
wait "$unloader"

kpf check /tmp/baseline
keeper verify anon
keeper verify tmpfs
memplugctl plug --all
assert_eq "unplugged bytes" "$(unplugged_bytes)" 0
kpf check /tmp/baseline
keeper stop anon
keeper stop tmpfs
