#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs the fuzzers of tests/fuzz, one after the other, from the inputs that are kept there. What
# they find goes to build/fuzz.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."

all=(quantity planner region report)

usage() {
  cat <<END
usage: ./run fuzz [--seconds N] [TARGET...]

Fuzzes parts of memplug in user space, with libFuzzer, AddressSanitizer and UBSan: each
TARGET for N seconds (default 60), all of them without one. TARGETs: ${all[*]}.

  quantity   the tool's parsers of sizes, ranges, times and nodes
  planner    kmod/policy/planner.c on made-up machines
  region     kmod/books/ against a model
  report     what each verb prints of whatever the module answers

Starts from tests/fuzz/corpus and crashes; new inputs go to build/fuzz/corpus. Ends with 1 if there
was a crash, and tells how to see it again.
END
}

fail_usage() {
  echo "fuzz: $1" >&2
  usage >&2
  exit 2
}

seconds=60
targets=()
while [[ $# -gt 0 ]]; do
  case $1 in
    -h | --help)
      usage
      exit 0
      ;;
    --seconds)
      [[ ${2:-} =~ ^[1-9][0-9]{0,5}$ ]] || fail_usage "--seconds wants a number from 1 up"
      seconds=$2
      shift
      ;;
    -*) fail_usage "unknown option '$1'" ;;
    *)
      [[ " ${all[*]} " = *" $1 "* ]] || fail_usage "unknown target '$1'"
      targets+=("$1")
      ;;
  esac
  shift
done
[[ ${#targets[@]} -gt 0 ]] || targets=("${all[@]}")

cmake --preset fuzz >/dev/null
cmake --build build/fuzz -j "$(nproc)" --target "${targets[@]/%/_fuzz}" >/dev/null

# The last number that the log gives for a name.
statistic() {
  sed -n "s/.*$1:* *\([0-9][0-9]*\).*/\1/p" "$log" | tail -n 1
}

# The first folder is where libFuzzer puts what is new.
fuzz() {
  local target=$1 kept=()
  local new=build/fuzz/corpus/$target
  mkdir -p "$new" build/fuzz/crashes
  for folder in "tests/fuzz/corpus/$target" "tests/fuzz/crashes/$target"; do
    [[ -d $folder ]] && kept+=("$folder")
  done
  "build/fuzz/tests/fuzz/${target}_fuzz" -max_total_time="$seconds" -timeout=30 -max_len=1024 \
    -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="build/fuzz/crashes/$target-" \
    "$new" "${kept[@]}" >"$log" 2>&1
}

status=0
printf '%-10s %12s %8s %8s\n' target executions edges new
for target in "${targets[@]}"; do
  log=build/fuzz/$target.log
  ended=0
  fuzz "$target" || ended=$?
  printf '%-10s %12s %8s %8s\n' "$target" "$(statistic stat::number_of_executed_units)" \
    "$(statistic 'cov')" "$(statistic stat::new_units_added)"
  if [[ $ended -ne 0 ]]; then
    status=1
    artifact=$(sed -n 's/.*Test unit written to //p' "$log" | tail -n 1)
    echo "fuzz: $target ended with $ended; its log is $log"
    grep -aE 'not so:|ERROR:|runtime error:' "$log" | head -n 3 | sed 's/^/    /' || true
    [[ -z $artifact ]] || echo "    again: build/fuzz/tests/fuzz/${target}_fuzz $artifact"
  fi
done
exit "$status"
