#!/bin/sh
# SPDX-License-Identifier: MIT
# Control: a skip is told as such, and a report that the case announced is no failure.
# lab: module=none
# lab: mem=512M
# lab: timeout=60
# lab: expect-report=WARNING: CPU: \d+ PID: \d+ at lab
# lab: expect=skip

. /lab/lib.sh

echo "WARNING: CPU: 0 PID: 1 at lab" >/dev/kmsg
skip "on purpose"
