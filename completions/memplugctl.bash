# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Completes memplugctl's verbs, options and values in bash. Knows none of the first two: it asks
# memplugctl for its help, and for what is unplugged and which nodes there are.

# _memplugctl_words SECTION VERB...: the first words of a section of the help of a verb.
_memplugctl_words() {
  local section=$1
  shift
  memplugctl "$@" --help 2>/dev/null | awk -v section="$section:" '
    /^[A-Z][a-z]+:$/ { inside = $0 == section; next }
    /^$/ { next }
    /^[^ ]/ { inside = 0 }
    inside && /^  [^ ]/ { print $1 }'
}

# Every spelling of the options: "-J,--json" is two.
_memplugctl_options() {
  { _memplugctl_words Options "$@"; _memplugctl_words Options; } | tr ',' '\n' | sort -u
}

# What an option takes, as its help has it: "--node N" takes "N".
_memplugctl_value_of() {
  local option=$1
  shift
  { memplugctl "$@" --help; memplugctl --help; } 2>/dev/null | awk -v option="$option" '
    /^  -/ { spellings = split($1, spelling, ","); value = $2; sub(/=.*/, "", value)
      for (i = 1; i <= spellings; i++) if (spelling[i] == option) { print value; exit } }'
}

_memplugctl_ranges() {
  memplugctl --quiet list 2>/dev/null | awk '/^0x/ { print $1 }'
}

_memplugctl_nodes() {
  memplugctl status --json 2>/dev/null | sed -n 's/.*"node":\([0-9]*\),"managed.*/\1/p'
}

_memplugctl() {
  local cur=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
  local -a verb=()
  local word values=""
  local i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    if [[ $word == -- ]]; then
      # From here on it is a command of its own, with its own completion.
      if declare -F _command_offset >/dev/null; then
        _command_offset $((i + 1))
      fi
      return
    fi
    if [[ $word == -* || ( $i -gt 1 && ${COMP_WORDS[i - 1]} == --device ) ]]; then
      continue
    fi
    if [[ ${#verb[@]} -eq 0 || ( ${#verb[@]} -eq 1 && ${verb[0]} == quarantine ) ]]; then
      verb+=("$word")
    fi
  done

  if [[ $previous == --* ]]; then
    case $previous in
      --format) values="ranges badram grub memmap" ;;
      --zone) values="normal dma32" ;;
      *)
        case $(_memplugctl_value_of "$previous" "${verb[@]}") in
          PATH | FILE)
            mapfile -t COMPREPLY < <(compgen -f -- "$cur")
            compopt -o filenames 2>/dev/null
            return
            ;;
          N) [[ $previous == --node ]] && values=$(_memplugctl_nodes) ;;
          RANGE) values=$(_memplugctl_ranges) ;;
        esac
        ;;
    esac
    if [[ -n $values ]]; then
      mapfile -t COMPREPLY < <(compgen -W "$values" -- "$cur")
      return
    fi
  fi

  if [[ $cur == -* ]]; then
    values=$(_memplugctl_options "${verb[@]}")
  elif [[ ${#verb[@]} -eq 0 || ${verb[*]} == quarantine ]]; then
    values=$(_memplugctl_words Subcommands "${verb[@]}")
  else
    case "${verb[*]}" in
      plug | explain | test | "quarantine remove") values=$(_memplugctl_ranges) ;;
      "quarantine apply")
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        compopt -o filenames 2>/dev/null
        return
        ;;
      target) values=none ;;
    esac
  fi
  mapfile -t COMPREPLY < <(compgen -W "$values" -- "$cur")
}

complete -F _memplugctl memplugctl
