#!/bin/sh
# SPDX-License-Identifier: MIT
# Every command that a manual page shows as an example does what it says, page by page in the order
# of the page, and ends with 0.
# lab: mem=6G
# lab: timeout=240
# lab: programs=memtester
# lab: files=man
# lab: append=init_on_alloc=0
set -eu
. /lab/lib.sh

# The examples name addresses; this kernel may well have pages of its own there.
[ "$PLAN_SLOWNESS" = 1 ] || skip "the debug kernel puts pages of its own all over memory"
floor=/sys/module/memplug/parameters/floor
usual_floor=$(cat $floor)
pages=0
for page in /lab/man/*.in; do
	pages=$((pages + 1))
	sed -n '/^\.Bd -literal -offset indent$/,/^\.Ed$/s/^# //p' "$page" >/tmp/examples
	[ -s /tmp/examples ] || [ "${page##*/}" = memplug.4.in ] || fail "$page has no examples"
	while read -r example; do
		echo "${page##*/}: $example"
		sh -c "$example" >/tmp/output 2>&1 </dev/null || {
			cat /tmp/output
			fail "${page##*/}: '$example' ends with $?"
		}
	done </tmp/examples
	memplugctl target none >/dev/null
	memplugctl quarantine remove --all --quiet >/dev/null
	memplugctl plug --all --quiet >/dev/null
	echo "$usual_floor" >$floor
done
[ "$pages" -gt 10 ] || fail "there are $pages pages only"
