#!/bin/sh
# SPDX-License-Identifier: MIT
# What is in quarantine stays out of use until somebody ends that: no plug, no target, no block that
# comes back and no rmmod gives it back. What is in use is taken as soon as it can be.
# lab: mem=6G
# lab: timeout=120
set -eu
. /lab/lib.sh

kpf save /tmp/baseline
quarantine
kpf check /tmp/baseline

quarantine mark >/tmp/marked
rmmod memplug 2>/dev/null && fail "the module went away while memory is in quarantine"
memplugctl plug --all --quiet
assert_eq "unplugged after plug --all" "$(unplugged_bytes)" 4194304
kpf check /tmp/baseline
