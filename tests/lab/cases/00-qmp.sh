#!/bin/sh
# SPDX-License-Identifier: MIT
# The lab itself: a guest gives commands to its own QEMU, gets their values, and is told why one
# was refused.
# lab: module=none
# lab: mem=512M
# lab: max-mem=1G
# lab: qmp=yes
# lab: timeout=60
set -eu
. /lab/lib.sh

assert_eq "query-status" "$(qmp query-status | jsonget /status)" running
expect_status 1 qmp no-such-command 2>/tmp/refused
cat /tmp/refused
grep -q 'no-such-command' /tmp/refused || fail "the refusal does not say what was refused"
expect_status 1 qmp device_del '{"id":"nothing"}'
expect_status 2 qmp query-status '{'

# Each gets the answer to its own command.
for number in 1 2 3 4 5; do
	qmp query-memory-size-summary >/tmp/size$number &
	qmp query-name >/tmp/name$number &
done
wait
for number in 1 2 3 4 5; do
	assert_eq "base memory" "$(json /tmp/size$number /base-memory)" 536870912
	assert_eq "name" "$(cat /tmp/name$number)" '{}'
done
