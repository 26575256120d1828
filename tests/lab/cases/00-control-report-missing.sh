#!/bin/sh
# SPDX-License-Identifier: MIT
# Control: a report that the case announced and that did not come is missed.
# lab: module=none
# lab: mem=512M
# lab: timeout=60
# lab: expect-report=WARNING: CPU: \d+ PID: \d+ at lab
# lab: expect=report-missing

echo "another line" >/dev/kmsg
