#!/bin/sh
# SPDX-License-Identifier: MIT
# Pages that only their owner can move, those of compressed memory (zsmalloc), are moved: an unplug
# gets what its forecast says, and nothing of what is compressed is lost.
# lab: mem=6G
# lab: modules=zram
# lab: module-args=floor=0
# lab: append=init_on_alloc=0
# lab: timeout=180
set -eu
. /lab/lib.sh

kpf save /tmp/baseline
movable_kinds zsmalloc || fail "less was had than forecast"
kpf check /tmp/baseline
