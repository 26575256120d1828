#!/bin/sh
# SPDX-License-Identifier: MIT
# Control: a guest that panics is reported with the panic's line.
# lab: module=none
# lab: mem=512M
# lab: timeout=60
# lab: expect=panic

echo c >/proc/sysrq-trigger
