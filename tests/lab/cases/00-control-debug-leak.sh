#!/bin/sh
# SPDX-License-Identifier: MIT
# Control: the debug kernel finds memory that nothing points to any more.
# lab: kernel=debug
# lab: module=none
# lab: mem=1G
# lab: timeout=60
# lab: expect=report
# lab: expect-message=kmemleak: \d+ new suspected memory leak
# lab: leaks=yes
set -eu
. /lab/lib.sh

insmod /lab/seeded.ko bug=leak
