#!/bin/sh
# SPDX-License-Identifier: MIT
# Control: a module that can't be unloaded, as its device is open, is found.
# lab: timeout=60
# lab: expect=unload

exec 9</dev/memplug
sleep 100000 >/dev/null 2>&1 &
