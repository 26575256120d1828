#!/bin/sh
# SPDX-License-Identifier: MIT
# bash completes what memplugctl has unplugged, and nodes. Verbs and options need no guest: tests/cli
# has them.
# lab: mem=6G
# lab: numa=2
# lab: programs=bash
# lab: files=completions
set -eu
. /lab/lib.sh

cat >/tmp/complete.bash <<'EOF'
. /lab/completions/memplugctl.bash
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_memplugctl
echo "${COMPREPLY[*]}"
EOF

# expect WANTED WORD...: what is offered for the last word.
expect() {
	wanted=$1
	shift
	assert_eq "what '$*' is completed to" "$(bash /tmp/complete.bash "$@")" "$wanted"
}

expect "0 1" memplugctl plug --all --node ""
memplugctl unplug 8M --contiguous --json >/tmp/unplug.json
range=$(json /tmp/unplug.json /ranges/0/range)
expect "$range" memplugctl plug 0x
expect "$range" memplugctl explain ""
expect "$range" memplugctl unplug --within ""
memplugctl plug --all --quiet >/dev/null
expect "" memplugctl plug 0x
