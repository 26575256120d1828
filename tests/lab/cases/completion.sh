#!/bin/sh
# SPDX-License-Identifier: MIT
# bash completes memplugctl's verbs, options, unplugged ranges and nodes.
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

expect "unplug" memplugctl unpl
expect "--json" memplugctl --js
expect "--contiguous" memplugctl --bytes unplug --con
expect "--node" memplugctl unplug 4M --no
expect "export" memplugctl quarantine ex
expect "--format" memplugctl quarantine export --for
expect "grub" memplugctl quarantine export --format gr
expect "none" memplugctl target ""
expect "0 1" memplugctl plug --all --node ""
expect "/lab/plan" memplugctl map --svg /lab/pla
for verb in $(memplugctl --help | sed -n '/^Subcommands/,/^$/s/^  \([a-z]*\) .*/\1/p'); do
	expect "$verb" memplugctl "$verb"
	offered=" $(bash /tmp/complete.bash memplugctl "$verb" --) "
	for option in $(memplugctl "$verb" --help | grep -o '^  --[a-z-]*') --device --version; do
		case $offered in
			*" $option "*) ;;
			*) fail "$verb $option is not offered: $offered" ;;
		esac
	done
done

memplugctl unplug 8M --contiguous --json >/tmp/unplug.json
range=$(json /tmp/unplug.json /ranges/0/range)
expect "$range" memplugctl plug 0x
expect "$range" memplugctl explain ""
expect "$range" memplugctl unplug --within ""
memplugctl plug --all --quiet >/dev/null
expect "" memplugctl plug 0x
