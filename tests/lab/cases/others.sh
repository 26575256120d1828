#!/bin/sh
# SPDX-License-Identifier: MIT
# virtio-mem and virtio-balloon in the same guest: each gets what QEMU asks of it while memplug
# unplugs and plugs, no page is held twice, and memplug keeps off virtio-mem's memory and names both.
# lab: mem=6G
# lab: max-mem=8G
# lab: added-mib=100
# lab: devices=virtio-mem,virtio-balloon
# lab: modules=virtio_pci,virtio_mem,virtio_balloon
# lab: qmp=yes
# lab: append=init_on_alloc=0 memhp_default_state=online_kernel
# lab: timeout=240
set -eu
. /lab/lib.sh

mib=$((1 << 20))
block_size=$((0x$(cat /sys/devices/system/memory/block_size_bytes)))
managed=$(managed_bytes)
total=$(memtotal_kb)

# ask_virtio_mem MIB: how much it is to provide.
ask_virtio_mem() {
	qmp qom-set "{\"path\":\"virtio-mem\",\"property\":\"requested-size\",\"value\":$(($1 * mib))}" >/dev/null
}

# ask_balloon MIB: how much it is to hold of the guest's 6G.
ask_balloon() {
	qmp balloon "{\"value\":$(((6144 - $1) * mib))}" >/dev/null
}

virtio_mem_provides() {
	[ "$(qmp qom-get '{"path":"virtio-mem","property":"size"}')" -eq $(($1 * mib)) ]
}

balloon_holds() {
	[ "$(qmp query-balloon | jsonget /actual)" -eq $(((6144 - $1) * mib)) ]
}

# virtio_mem_blocks: the memory blocks that virtio-mem has added, all above the memory of boot.
virtio_mem_blocks() {
	for block in /sys/devices/system/memory/memory[0-9]*; do
		[ "${block##*memory}" -lt $((address / block_size)) ] || echo "$block"
	done | wc -l
}

# An emptied memory block goes after QEMU has been told that it is empty.
settled() {
	blocks=$(virtio_mem_blocks)
	sleep 1
	! grep -L '^online$' /sys/devices/system/memory/memory*/state 2>/dev/null | grep -q . &&
		[ "$(virtio_mem_blocks)" -eq "$blocks" ]
}

# both VIRTIO_MEM_MIB BALLOON_MIB: asks, waits until both have done it, and counts the memory blocks.
both() {
	ask_virtio_mem "$1"
	ask_balloon "$2"
	# What it can't unplug at once it tries again after 50 s.
	wait_for 80 virtio_mem_provides "$1" ||
		fail "virtio-mem has $(qmp qom-get '{"path":"virtio-mem","property":"size"}') bytes, not $1 MiB"
	wait_for 30 balloon_holds "$2" || fail "the balloon does not hold $2 MiB: $(qmp query-balloon)"
	wait_for 30 settled || fail "virtio-mem still removes memory blocks"
}

zones_kb() {
	awk '$1 == "managed" { pages += $2 } END { print pages * 4 }' /proc/zoneinfo
}

# account VIRTIO_MEM_MIB BALLOON_MIB: the offline pages are memplug's, the balloon's, and what
# virtio-mem holds back of its memory blocks. One that two hold would be missing in the sum.
account() {
	held_back=$((blocks * block_size - $1 * mib))
	assert_eq "offline bytes of others at $1 and $2 MiB" "$(kpf others)" $(($2 * mib + held_back))
	assert_eq "managed bytes at $1 and $2 MiB" "$(managed_bytes)" "$managed"
	assert_eq "MemTotal at $1 and $2 MiB" "$(memtotal_kb)" \
		$((total + ($1 - $2) * 1024 - $(unplugged_bytes) / 1024))
	assert_eq "managed pages of all zones, in kB" "$(zones_kb)" $((zones + $(memtotal_kb) - total))
}

zones=$(zones_kb)
address=$(qmp query-memory-devices | jsonget /0/data/memaddr)
both 500 0
account 500 0
expect_status 1 memplugctl unplug "$(printf '0x%x+64M' "$address")" --json \
	>/tmp/foreign.json 2>/tmp/foreign.err
cat /tmp/foreign.err
assert_eq "errno for virtio-mem's memory" "$(json /tmp/foreign.json /error/errno)" ENXIO

expect_status 0 memplugctl unplug 256M --exact --quiet >/dev/null
both 500 1024
account 500 1024

(
	rounds=0
	until [ -e /tmp/enough ]; do
		memplugctl unplug 512M --quiet >/dev/null || fail "memplug does not get 512M: $?"
		memplugctl plug 512M --quiet >/dev/null || fail "plug ended with $?"
		rounds=$((rounds + 1))
	done
	echo $rounds >/tmp/rounds
) &
worker=$!
for wanted in "1000 2048" "200 512" "600 1536" "100 1024" "900 256"; do
	# shellcheck disable=SC2086  # two words are wanted
	both $wanted
	kill -0 $worker 2>/dev/null || break
done
touch /tmp/enough
wait $worker || fail "memplug did not get what it asked"
echo "memplug unplugged and plugged $(cat /tmp/rounds) times meanwhile"
[ "$(cat /tmp/rounds)" -ge 3 ] || fail "memplug hardly did anything: nothing was proven"
account 900 256
memplugctl plug --all --quiet >/dev/null
account 900 256

# With the parameter that says so, virtio-mem's memory is managed too, as it comes and goes.
ours=$(managed_bytes)
rmmod memplug
insmod /lab/memplug.ko driver_managed=1
both 900 0
managed=$((ours + blocks * block_size))
account 900 0
more=$blocks
# Not to nothing: one page that the kernel has put there keeps virtio-mem from that.
both 100 0
echo "virtio-mem had $more memory blocks and has $blocks"
[ "$blocks" -lt "$more" ] || fail "none of virtio-mem's memory blocks was removed"
managed=$((ours + blocks * block_size))
account 100 0

assert_eq "others" "$(status_value /others)" '["virtio_mem","virtio_balloon"]'
memplugctl unplug 64M >/dev/null 2>/tmp/warning
cat /tmp/warning
for name in virtio_mem virtio_balloon; do
	grep -q $name /tmp/warning || fail "unplug does not warn of $name"
done
memplugctl plug --all --quiet >/dev/null
account 100 0
