#!/bin/sh
# SPDX-License-Identifier: MIT
# 32 processes map, fork, move, unmap and die at random on one range, and others try to plug it: no
# page goes back while somebody has it mapped, and all of them do at the end.
# lab: mem=5G
# lab: timeout=100
# lab: append=init_on_alloc=0
# lab: alone=yes
# lab: leaks=yes
set -eu
. /lab/lib.sh

kpf save /tmp/baseline
seed=$(($(date +%s) % 100000))
echo "seed $seed"
mapping_abuse 20 "$seed"
wait_for 10 kpf check /tmp/baseline || fail "the accounts disagree"
