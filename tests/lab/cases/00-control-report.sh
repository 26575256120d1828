#!/bin/sh
# SPDX-License-Identifier: MIT
# Control: a report in the kernel log that causes no panic is found, and a skip does not hide it.
# lab: module=none
# lab: mem=512M
# lab: timeout=60
# lab: expect=report

. /lab/lib.sh

echo "WARNING: CPU: 0 PID: 1 at lab" >/dev/kmsg
skip "this must not be what is reported"
