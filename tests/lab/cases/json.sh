#!/bin/sh
# SPDX-License-Identifier: MIT
# Every verb, good and failing: the host holds each object against the schema, and metrics against
# Prometheus's parser.
# lab: mem=6G
# lab: append=init_on_alloc=0
# lab: objects=yes
# lab: programs=memtester
# lab: timeout=240
# lab: needs=block-offlining,low-memory
# shellcheck disable=SC2154  # offline_block sets block and size
set -eu
. /lab/lib.sh

# object STATUS NAME ARGUMENTS...: what memplugctl prints, on one line.
object() {
	status=$1
	name=$2
	shift 2
	got=0
	memplugctl "$@" --json >/tmp/object 2>/tmp/object.err || got=$?
	[ "$got" -eq "$status" ] || {
		cat /tmp/object /tmp/object.err
		fail "'memplugctl $*' ended with $got"
	}
	# Strings have their line breaks escaped.
	echo "@object $name $(tr -d '\n' </tmp/object)"
}

# Sets $bad, a byte of what is unplugged by now: in what is plugged a debug kernel soon has pages of
# its own, which do not go.
take_bad() {
	memplugctl plug --all --quiet >/dev/null
	memplugctl unplug 4M --contiguous --json >/tmp/taken.json
	bad=$(printf '0x%x+1' "$(json /tmp/taken.json /ranges/0/start)")
}

object 0 doctor doctor
object 0 version version
object 0 version version --device /dev/none
object 0 target target --total 4G --dry-run
object 0 status status
object 0 list list
object 0 scan scan
object 0 scan scan --within 0x140000000+64M --align 64M
object 0 map map
object 0 map map --within 0x100000000+1G
object 0 target target none

object 0 unplug unplug 64M --dry-run
object 0 unplug unplug 64M
object 0 unplug unplug 0x140000000+64M
object 0 unplug unplug 0x140000000+64M
object 0 unplug unplug 32M --contiguous --align 32M
object 64 unplug unplug 1T
object 1 unplug unplug 4G --contiguous
object 1 unplug unplug 1G --exact
object 0 plug plug 128M --dry-run
object 0 plug plug 128M
object 0 plug plug 0x140000000+128M
object 0 plug plug 0x140000000+128M
object 0 plug plug --all
object 0 plug plug --all
object 0 unplug unplug 64M

memplugctl metrics | sed 's/^/@metrics /'

# In the way of something: what is pinned, and the kernel's own.
stay spliced >/tmp/address &
wait_for 10 test -s /tmp/address || fail "nothing is pinned"
pinned=$(printf '0x%x+4M' $(($(cat /tmp/address) / 4194304 * 4194304)))
object 1 unplug unplug "$pinned"
object 0 explain explain "$pinned"
first=$(first_pfn)
object 0 explain explain "$(printf '0x%x+64M' $((first * 4096)))"
object 0 explain explain 0xf0000000+1G
kill $!
wait $! 2>/dev/null || :

object 0 target target 3G --wait
object 0 status status
object 64 target target 4M --wait --timeout 1500ms
object 0 target target none
object 0 status status

object 0 quarantine quarantine list
take_bad
object 0 quarantine quarantine add "$bad" --timeout 60s
object 0 quarantine quarantine list
object 0 quarantine quarantine export --format badram
object 0 quarantine quarantine apply
object 0 quarantine quarantine remove --all
object 1 quarantine quarantine add 0x2000000+4K

memplugctl plug --all --quiet >/dev/null
memplugctl unplug 16M --contiguous --json >/tmp/free.json
start=$(json /tmp/free.json /ranges/0/start)
memplugctl plug --all --quiet >/dev/null
object 0 test test "$(printf '0x%x+8M' "$start")" --tests 0

# One line for each event.
memplugctl watch --json --timeout $((10 * PLAN_SLOWNESS))s >/tmp/events 2>/tmp/watch.err &
wait_for 10 test -s /tmp/watch.err || fail "watch does not say that it waits"
wait_for 20 offline_block 8388608 || fail "no memory block goes offline"
memplugctl plug --all --quiet >/dev/null
echo online_kernel >/sys/devices/system/memory/memory"$block"/state
memplugctl target 4032M --wait --quiet >/dev/null
memplugctl target none --quiet >/dev/null
memplugctl plug --all --quiet >/dev/null
take_bad
memplugctl quarantine add "$bad" --no-save --quiet >/dev/null
memplugctl quarantine remove --all --no-save --quiet >/dev/null
wait $!
sed 's/^/@object watch /' /tmp/events
for event in unplugged plugged came went wanted target target_state quarantine; do
	grep -q "\"event\":\"$event\"" /tmp/events || fail "no event '$event'"
done

# What can't run.
object 2 error unplug 5M
object 2 error unplug 64
object 2 error unplug
object 2 error plug --all 64M
object 2 error target 64M --timeout 1s
object 2 error scan --align 3M
object 2 error explain 64M
object 2 error map --within 0
object 2 error watch --count 0
object 2 error test
object 2 error test 0x140000000+4M --tests 17
object 2 error quarantine
object 2 error quarantine add 64M
object 2 error quarantine remove
object 1 error quarantine apply /none
object 2 error metrics
object 2 error
object 1 error unplug 0x10000000+64M
object 1 error status --device /dev/null
object 1 error list --device /dev/none
object 1 doctor doctor --device /dev/none
su_nobody() {
	echo "nobody:x:65534:65534::/:/bin/sh" >/etc/passwd
	chmod 666 /dev/memplug
	for verb in list status scan "unplug 4M" "explain 0x140000000+4M" "target none" doctor; do
		su nobody -c "memplugctl $verb --json" >/tmp/object 2>/dev/null || :
		name=${verb%% *}
		if grep -q '"error"' /tmp/object; then
			name=error
		fi
		echo "@object $name $(tr -d '\n' </tmp/object)"
	done
}
memplugctl unplug 8M --quiet >/dev/null
su_nobody
rmmod memplug
object 1 error status
object 1 doctor doctor
