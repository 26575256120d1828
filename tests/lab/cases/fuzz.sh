#!/bin/sh
# SPDX-License-Identifier: MIT
# The fuzzer's known inputs do what they did, and 20 s of new ones break nothing: no undocumented
# errno, no account that disagrees. A fifth of the calls and more is syntactically right, some take
# memory, some processes die in the middle.
# lab: mem=6G
# lab: timeout=120
# lab: append=init_on_alloc=0
# lab: files=fuzz-corpus,fuzz-crashes
# lab: alone=yes
set -eu
. /lab/lib.sh

# The same again, as far as scheduling allows: SEED=N on the kernel's command line.
seed=${SEED:-$(date +%s)}

set -- /lab/fuzz-corpus/*.txt
for crash in /lab/fuzz-crashes/*.txt; do
	[ ! -e "$crash" ] || set -- "$@" "$crash"
done
ioctl_fuzz --replay "$@" || fail "a known input did not do what it did"

ioctl_fuzz --seconds 20 --seed "$seed" --check-every 10 --pressure --hotplug \
	--corpus /lab/fuzz-corpus >/tmp/fuzz || {
	cat /tmp/fuzz
	fail "the fuzzer found something, with the seed $seed"
}
cat /tmp/fuzz

# figure NAME: from the lines 'fuzz: NAME=VALUE...'
figure() {
	sed -n "s/^fuzz: .*\b$1=\([0-9]*\).*/\1/p" /tmp/fuzz
}

[ "$(figure passed_percent)" -ge 20 ] || fail "less than 20 % of the calls were right"
[ "$(figure claimed)" -ge 10 ] || fail "hardly any call took memory"
[ "$(figure kills)" -ge 1 ] || fail "no process was killed"
[ "$(figure checks)" -ge 3 ] || fail "the accounts were not compared"
assert_eq "unplugged bytes" "$(unplugged_bytes)" 0
