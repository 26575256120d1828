#!/bin/sh
# SPDX-License-Identifier: MIT
# Control: a guest that powers off early, with no fault to be seen, is not a pass.
# lab: module=none
# lab: mem=512M
# lab: timeout=60
# lab: expect=no-verdict

poweroff -f
