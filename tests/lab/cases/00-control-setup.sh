#!/bin/sh
# SPDX-License-Identifier: MIT
# Control: a module that does not load is reported as such, not as a failed case.
# lab: module-args=floor=nonsense
# lab: mem=512M
# lab: timeout=60
# lab: expect=setup

echo "this must not run"
