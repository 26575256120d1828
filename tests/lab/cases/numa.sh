#!/bin/sh
# SPDX-License-Identifier: MIT
# Two nodes: --node takes from and gives back to that node only, and the nodes' figures add up, in
# the tool and in the kernel's own per-node counts.
# lab: mem=6G
# lab: numa=2
# lab: append=init_on_alloc=0
set -eu
. /lab/lib.sh

node_total() {
	awk '/MemTotal:/ { print $4 }' "/sys/devices/system/node/node$1/meminfo"
}

# assert_nodes NODE0 NODE1: bytes that should be unplugged of each.
assert_nodes() {
	memplugctl status --json >/tmp/status.json
	assert_eq "number of nodes" "$(jsonget --len /nodes </tmp/status.json)" 2
	for node in 0 1; do
		assert_eq "number of record $node" "$(json /tmp/status.json /nodes/$node/node)" $node
	done
	assert_eq "unplugged of node 0" "$(json /tmp/status.json /nodes/0/unplugged_size)" "$1"
	assert_eq "unplugged of node 1" "$(json /tmp/status.json /nodes/1/unplugged_size)" "$2"
	assert_eq "unplugged of both" "$(json /tmp/status.json /unplugged_size)" $(($1 + $2))
	for key in managed_size plugged_size unplugged_size; do
		sum=$(($(json /tmp/status.json /nodes/0/$key) + $(json /tmp/status.json /nodes/1/$key)))
		assert_eq "sum of the nodes' $key" "$sum" "$(json /tmp/status.json /$key)"
	done
	assert_eq "MemTotal of node 0" "$(node_total 0)" $((total0 - $1 / 1024))
	assert_eq "MemTotal of node 1" "$(node_total 1)" $((total1 - $2 / 1024))
	kpf check /tmp/baseline
}

kpf save /tmp/baseline
total0=$(node_total 0)
total1=$(node_total 1)
assert_nodes 0 0

memplugctl unplug 256M --node 1
assert_nodes 0 268435456
memplugctl unplug 64M --node 0
assert_nodes 67108864 268435456
memplugctl plug 128M --node 1
assert_nodes 67108864 134217728
expect_status 64 memplugctl plug 128M --node 0
assert_nodes 0 134217728
expect_status 1 memplugctl unplug 4M --node 7
assert_nodes 0 134217728

# More than the node has: the other one is not asked.
expect_status 64 memplugctl unplug 8G --node 1 --timeout 3s --json >/tmp/all.json
echo "8G --node 1: $(json /tmp/all.json /done_size) bytes, $(json /tmp/all.json /stopped_by)"
assert_nodes 0 $((134217728 + $(json /tmp/all.json /done_size)))
memplugctl plug --all
assert_nodes 0 0
