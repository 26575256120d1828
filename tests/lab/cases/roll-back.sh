#!/bin/sh
# SPDX-License-Identifier: MIT
# What a running request has taken is nobody else's until it has answered, so that a roll-back gives
# back what it took, all of it, and nothing else.
# lab: mem=4G
# lab: timeout=180
set -eu
. /lab/lib.sh

mount -t tmpfs -o size=2G tmpfs /tmp
keeper start tmpfs file /tmp/content 1000M
keeper start anon anon 300M
kpf save /tmp/baseline
rollback 1024
keeper stop tmpfs
keeper stop anon
kpf check /tmp/baseline
