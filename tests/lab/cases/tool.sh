#!/bin/sh
# SPDX-License-Identifier: MIT
# The tool against the real device: exit statuses, the keys of every JSON object, what goes to
# stdout and what to stderr.
# lab: mem=6G
# lab: append=init_on_alloc=0
# lab: needs=low-memory
set -eu
. /lab/lib.sh

# assert_keys FILE POINTER KEY...: these are there, whatever their value.
assert_keys() {
	file=$1
	base=$2
	shift 2
	for key in "$@"; do
		jsonget "$base/$key" <"$file" >/dev/null || fail "$file lacks $base/$key"
	done
}

memplugctl unplug 64M --contiguous --json >/tmp/unplug.json 2>/tmp/unplug.err
[ ! -s /tmp/unplug.err ] || fail "success says something on stderr: $(cat /tmp/unplug.err)"
assert_keys /tmp/unplug.json "" schema_version operation dry_run requested_size done_size \
	already_size shortfall ranges blocked truncated pages_migrated elapsed_us stopped_by
assert_keys /tmp/unplug.json /ranges/0 range start size node held_by mapped quarantined

memplugctl status --json >/tmp/status.json
assert_keys /tmp/status.json "" schema_version module_version tool_version kernel abi page_size \
	granularity subblock_size managed_size plugged_size unplugged_size wanted_size target_size \
	floor_size nodes ranges counters
assert_keys /tmp/status.json /nodes/0 node managed_size plugged_size unplugged_size
assert_keys /tmp/status.json /ranges/0 range start size node held_by mapped quarantined
assert_keys /tmp/status.json /counters unplug_requests plug_requests claims claims_failed \
	pages_migrated survey_us claim_us
assert_eq "module version" "$(json /tmp/status.json /module_version)" \
	"$(json /tmp/status.json /tool_version)"
assert_eq "kernel" "$(json /tmp/status.json /kernel)" "$(uname -r)"
assert_eq "page_size" "$(json /tmp/status.json /page_size)" 4096
assert_eq "subblock_size" "$(json /tmp/status.json /subblock_size)" 4194304
assert_eq "granularity" "$(json /tmp/status.json /granularity)" $((PLAN_GRANULARITY_MIB << 20))
assert_eq "target_size" "$(json /tmp/status.json /target_size)" null
assert_eq "plugged + unplugged" \
	$(($(json /tmp/status.json /plugged_size) + $(json /tmp/status.json /unplugged_size))) \
	"$(json /tmp/status.json /managed_size)"

memplugctl list --json >/tmp/list.json
assert_keys /tmp/list.json "" schema_version ranges
assert_eq "list and status" "$(json /tmp/list.json /ranges)" "$(json /tmp/status.json /ranges)"
memplugctl status
memplugctl list --bytes
memplugctl list --quiet >/dev/null

expect_status 64 memplugctl plug 1G --json >/tmp/plug.json 2>/tmp/plug.err
assert_eq "operation" "$(json /tmp/plug.json /operation)" plug
[ -s /tmp/plug.err ] || fail "a part of it done, and stderr says nothing"
expect_status 1 memplugctl plug 4M --json >/tmp/none.json 2>/tmp/none.err
[ -s /tmp/none.err ] || fail "none of it done, and stderr says nothing"

expect_status 2 memplugctl unplug 5M --json >/tmp/usage.json 2>/tmp/usage.err
cat /tmp/usage.err
assert_eq "errno of a usage error" "$(json /tmp/usage.json /error/errno)" null
for word in '4 *MiB' '8 *MiB'; do
	grep -qE "$word" /tmp/usage.err || fail "an odd size is refused without saying '$word'"
done
expect_status 2 memplugctl unplug 64M --align 64M 2>/dev/null
expect_status 2 memplugctl unplug 0x140000000+64M --node 0 2>/dev/null
expect_status 2 memplugctl unplug 0x140001000+64M 2>/dev/null
expect_status 2 memplugctl plug 2>/dev/null
expect_status 1 memplugctl unplug 0x10000000+64M --json >/tmp/enxio.json 2>/tmp/enxio.err
cat /tmp/enxio.err
assert_eq "errno of ZONE_DMA32" "$(json /tmp/enxio.json /error/errno)" ENXIO
expect_status 1 memplugctl status >/dev/full 2>/tmp/full.err
[ -s /tmp/full.err ] || fail "a full stdout is no error"

# Without CAP_SYS_ADMIN nothing is changed and no address is told.
memplugctl unplug 8M --quiet >/dev/null
chmod 666 /dev/memplug
expect_status 1 su nobody -c "memplugctl unplug 4M --json" \
	>/tmp/eperm.json 2>/tmp/eperm.err
cat /tmp/eperm.err
assert_eq "errno without CAP_SYS_ADMIN" "$(json /tmp/eperm.json /error/errno)" EPERM
su nobody -c "memplugctl list --json" >/tmp/withheld.json
assert_eq "a withheld start" "$(json /tmp/withheld.json /ranges/0/start)" null
assert_eq "a withheld range" "$(json /tmp/withheld.json /ranges/0/range)" null
assert_eq "its size" "$(json /tmp/withheld.json /ranges/0/size)" 8388608
chmod 600 /dev/memplug
memplugctl plug --all --quiet >/dev/null
