#!/bin/sh
# SPDX-License-Identifier: MIT
# Every command of README.md and docs/guide.md that is marked "run by: lab.readme" works as it stands there, block by
# block, in the order of the page.
# lab: mem=6G
# lab: timeout=360
# lab: module=none
# lab: programs=memtester
# lab: files=README.md,docs/guide.md
# lab: append=init_on_alloc=0
set -eu
. /lab/lib.sh

# The page names addresses; this kernel may well have pages of its own there.
[ "$PLAN_SLOWNESS" = 1 ] || skip "the debug kernel puts pages of its own all over memory"
mkdir -p "/lib/modules/$(uname -r)/updates"
cp /lab/memplug.ko "/lib/modules/$(uname -r)/updates"
busybox depmod

run() {
	status=0
	case $1 in
	# The page says to press Ctrl-C at some time.
	*'test --all'*)
		timeout -s INT 10 sh -c "$1" >/tmp/output 2>&1 </dev/null || status=$?
		if grep -q 'the same command goes on from here' /tmp/output; then
			status=0
		fi
		;;
	*) sh -c "$1" >/tmp/output 2>&1 </dev/null || status=$? ;;
	esac
	[ $status = 0 ] || {
		cat /tmp/output
		fail "'$1' ends with $status"
	}
}

commands=0
# Between blocks there is an empty line.
# shellcheck disable=SC2016  # nothing is to be expanded
sed -n '/^<!-- run by: lab.readme -->$/,/^```$/{s/^```$//; /^```sh$/d; /^<!--/d; p}' \
	/lab/README.md /lab/docs/guide.md >/tmp/commands
while read -r line; do
	if [ -z "$line" ]; then
		memplugctl plug --all --quiet >/dev/null
		continue
	fi
	echo "$line"
	run "$line"
	commands=$((commands + 1))
done </tmp/commands
[ $commands -ge 20 ] || fail "there are $commands commands only"
assert_eq "unplugged at the end" "$(unplugged_bytes)" 0
