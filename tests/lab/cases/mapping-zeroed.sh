#!/bin/sh
# SPDX-License-Identifier: MIT
# As lab.mapping, where the kernel zeroes what it hands out (init_on_alloc): memplug does so itself
# where that does not hold for what it claims, and nothing of others is to be seen either way.
# lab: mem=6G
# lab: append=init_on_alloc=1
# lab: central=yes
set -eu
. /lab/lib.sh

kpf save /tmp/baseline
mapping
kpf check /tmp/baseline
