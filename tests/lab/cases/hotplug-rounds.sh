#!/bin/sh
# SPDX-License-Identifier: MIT
# Fifty rounds each of a memory block that goes offline and comes back, and of one that is refused
# half-way, with none, half and all of it unplugged: every account is right after every step.
# lab: mem=6G
# lab: append=init_on_alloc=0
# lab: timeout=240
# lab: central=yes
# lab: large=yes
# lab: needs=block-offlining
set -eu
. /lab/lib.sh

insmod /lab/obstruct.ko
block=$(find_block)
kpf save /tmp/baseline
offline_rounds "$block" 50
kpf check /tmp/baseline
rmmod obstruct
