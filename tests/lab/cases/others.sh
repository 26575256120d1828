#!/bin/sh
# SPDX-License-Identifier: MIT
# virtio-mem and virtio-balloon in the same guest: each gets what QEMU asks of it while memplug
# unplugs and plugs, no page is held twice, and memplug keeps off virtio-mem's memory and names both.
# lab: mem=6G
# lab: max-mem=8G
# lab: devices=virtio-mem,virtio-balloon
# lab: modules=virtio_pci,virtio_mem,virtio_balloon
# lab: qmp=yes
# lab: append=init_on_alloc=0 memhp_default_state=online_kernel
# lab: timeout=240
set -eu
. /lab/lib.sh

mib=$((1 << 20))
block_size=$((0x$(cat /sys/devices/system/memory/block_size_bytes)))
kpf save /tmp/baseline
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

# both VIRTIO_MEM_MIB BALLOON_MIB: asks, and waits until both have done it.
both() {
	ask_virtio_mem "$1"
	ask_balloon "$2"
	# What it can't unplug at once it tries again after 50 s.
	wait_for 80 virtio_mem_provides "$1" ||
		fail "virtio-mem has $(qmp qom-get '{"path":"virtio-mem","property":"size"}') bytes, not $1 MiB"
	wait_for 30 balloon_holds "$2" || fail "the balloon does not hold $2 MiB: $(qmp query-balloon)"
}

# account VIRTIO_MEM_MIB BALLOON_MIB: the offline pages are memplug's, the balloon's, and what
# virtio-mem holds back of a memory block. One that two hold would be missing in the sum.
account() {
	held_back=$(((block_size - $1 * mib % block_size) % block_size))
	assert_eq "offline bytes of others at $1 and $2 MiB" "$(kpf others)" $(($2 * mib + held_back))
	assert_eq "managed bytes at $1 and $2 MiB" "$(managed_bytes)" "$managed"
	assert_eq "MemTotal at $1 and $2 MiB" "$(memtotal_kb)" \
		$((total + ($1 - $2) * 1024 - $(unplugged_bytes) / 1024))
}

both 500 0
account 500 0
address=$(qmp query-memory-devices | jsonget /0/data/memaddr)
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

# With the parameter that says so, virtio-mem's memory is managed too: all that is online of it.
ours=$(managed_bytes)
rmmod memplug
insmod /lab/memplug.ko driver_managed=1
echo "managed: $ours bytes, with driver_managed $(managed_bytes)"
[ "$(managed_bytes)" -ge $((ours + 900 * 1048576)) ] || fail "driver_managed has no effect"
both 0 0
assert_eq "managed when virtio-mem's is gone" "$(managed_bytes)" "$ours"
kpf check /tmp/baseline
assert_eq "MemTotal at the end" "$(memtotal_kb)" "$total"

assert_eq "others" "$(status_value /others)" '["virtio_mem","virtio_balloon"]'
memplugctl unplug 64M >/dev/null 2>/tmp/warning
cat /tmp/warning
for name in virtio_mem virtio_balloon; do
	grep -q $name /tmp/warning || fail "unplug does not warn of $name"
done
memplugctl plug --all --quiet >/dev/null
kpf check /tmp/baseline
