#!/bin/sh
# SPDX-License-Identifier: MIT
# After a target that nobody waits for, zones have the watermarks of their old size: doctor sees it,
# and the command that it gives mends it.
# lab: mem=6G
# lab: append=init_on_alloc=0
# lab: module-args=floor=0
set -eu
. /lab/lib.sh

verdict() {
	memplugctl doctor --json >/tmp/doctor.json || fail "doctor: $(cat /tmp/doctor.json)"
	jsonget --len /checks </tmp/doctor.json >/tmp/checks
	last=$(($(cat /tmp/checks) - 1))
	assert_eq "name of the last check" "$(json /tmp/doctor.json /checks/$last/name)" watermarks
	json /tmp/doctor.json /checks/$last/found >&2
	json /tmp/doctor.json /checks/$last/verdict
}

is_reached() {
	[ "$(status_value /target_state)" = reached ]
}

# judge WHAT: it warns now; what it says to type ends that.
judge() {
	case $(uname -r) in
	5.10.*)
		# It does not tell what is on top of them for the moment.
		[ "$(verdict)" = ok ] && echo "$1: this kernel does not tell" && return
		;;
	esac
	assert_eq "verdict $1" "$(verdict)" warning
	sh -c "$(json /tmp/doctor.json /checks/$last/next)"
	assert_eq "verdict $1, when that is typed" "$(verdict)" ok
}

kpf save /tmp/baseline
assert_eq "verdict at the beginning" "$(verdict)" ok
memplugctl unplug 2G --quiet
assert_eq "verdict after an unplug" "$(verdict)" ok
memplugctl plug --all --quiet
assert_eq "verdict after a plug" "$(verdict)" ok

memplugctl target 1536M --quiet
wait_for 60 is_reached || fail "the target is not reached"
verdict >/dev/null
judge "after a target"
memplugctl target none --quiet
memplugctl plug --all --quiet
kpf check /tmp/baseline
