#!/bin/sh
# SPDX-License-Identifier: MIT
# Control: the debug kernel finds the use of memory that was freed.
# lab: kernel=debug
# lab: module=none
# lab: mem=1G
# lab: timeout=60
# lab: expect=panic
# lab: expect-message=BUG: KASAN: use-after-free in seeded_init
set -eu
. /lab/lib.sh

insmod /lab/seeded.ko bug=use-after-free
