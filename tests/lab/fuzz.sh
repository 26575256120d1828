#!/bin/sh
# SPDX-License-Identifier: MIT
# The guest's part of './run fuzz-kernel': replays what is known, fuzzes with the options given, and
# sends new inputs to the host on stdout, in base64 between two marks.
. /lab/lib.sh

mkdir /tmp/new
set -- --corpus /lab/fuzz-corpus --save /tmp/new --journal /mnt/journal "$@"
for folder in fuzz-corpus fuzz-crashes; do
	for input in /lab/"$folder"/*.txt; do
		[ ! -e "$input" ] || inputs="$inputs $input"
	done
done
# shellcheck disable=SC2086  # separate words
ioctl_fuzz --replay $inputs >/tmp/replay || {
	cat /tmp/replay
	fail "an input that is known no longer does what it did"
}
tail -n 1 /tmp/replay

status=0
ioctl_fuzz --slowness "$PLAN_SLOWNESS" "$@" || status=$?
echo "-----BEGIN NEW INPUTS-----"
tar -C /tmp/new -cz . | base64
echo "-----END NEW INPUTS-----"
exit $status
