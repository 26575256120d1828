#!/bin/sh
# SPDX-License-Identifier: MIT
# Control: a guest that does not end is killed at its deadline and reported as hung.
# lab: module=none
# lab: mem=512M
# lab: timeout=25
# lab: expect=hang

exec sleep 100000
