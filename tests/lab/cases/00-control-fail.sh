#!/bin/sh
# SPDX-License-Identifier: MIT
# Control: a case that fails is reported as failed.
# lab: module=none
# lab: mem=512M
# lab: timeout=60
# lab: expect=fail

. /lab/lib.sh

fail "on purpose"
