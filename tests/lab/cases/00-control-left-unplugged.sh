#!/bin/sh
# SPDX-License-Identifier: MIT
# Control: memory that a case leaves unplugged is found.
# lab: timeout=60
# lab: expect=left-unplugged

. /lab/lib.sh

expect_status 0 memplugctl unplug 64M
