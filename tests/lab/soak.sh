#!/bin/sh
# SPDX-License-Identifier: MIT
# The guest's part of './run soak': SECONDS SEED CHECK_EVERY. The figures as JSON go to the host in
# the line that begins with 'soak-json:'.
. /lab/lib.sh

exec soak "$1" "$2" "$3" "$PLAN_MODULE_ARGS"
