#!/bin/sh
# SPDX-License-Identifier: MIT
# Control: the debug kernel finds two locks that are taken in both orders.
# lab: kernel=debug
# lab: module=none
# lab: mem=1G
# lab: timeout=60
# lab: expect=report
# lab: expect-message=possible circular locking dependency
set -eu
. /lab/lib.sh

insmod /lab/seeded.ko bug=inversion
