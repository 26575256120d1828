#!/bin/sh
# SPDX-License-Identifier: MIT
# Control: the kernel with KCSAN finds two tasks that count with the same counter.
# lab: kernel=kcsan
# lab: module=none
# lab: mem=1G
# lab: timeout=60
# lab: expect=report
# lab: expect-message=BUG: KCSAN: data-race in count
set -eu
. /lab/lib.sh

insmod /lab/seeded.ko bug=race
