#!/bin/sh
# SPDX-License-Identifier: MIT
# Control: a guest that QEMU refuses to start is reported as such.
# lab: module=none
# lab: smp=100000
# lab: expect=qemu

echo "this must not run"
