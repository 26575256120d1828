#!/bin/sh
# SPDX-License-Identifier: MIT
# Control: a verdict with something else in it is not a pass.
# lab: module=none
# lab: mem=512M
# lab: timeout=60
# lab: expect=garbled-verdict

echo "status=0" >/dev/lab-verdict
