#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Every style and static check, one line each; the findings of those that fail. Changes no file.
set -uo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." || exit

preset=dev
[[ ${CI:-} = true ]] && preset=ci
failed=()
output=$(mktemp)
trap 'rm -f "$output"' EXIT

# files PATTERN...: what git tracks or would track, and what is there.
files() {
  git ls-files -co --exclude-standard -- "$@" | while read -r file; do
    [[ -f $file ]] && echo "$file"
  done | sort -u
}

check() {
  local name=$1
  shift
  if "$@" >"$output" 2>&1; then
    echo "ok      $name"
  else
    echo "FAILED  $name"
    sed 's/^/        /' "$output"
    failed+=("$name")
  fi
}

# An out-of-tree module has no MAINTAINERS; page flags are in camel case in the kernel itself.
# It runs in its own folder, as it leaves a file where it runs.
run_checkpatch() {
  local folder=$1 ignored=$2
  shift 2
  printf '%s\n' "${@/#/$PWD/}" |
    (cd "$folder" && xargs perl ./checkpatch.pl --no-tree --root=. --file --strict --terse \
      --show-types --no-summary --ignore "FILE_PATH_CHANGES,CAMELCASE,$ignored" \
      2> >(grep -v 'include.: No such file' >&2)) |
    sed "s|^$PWD/||"
}

check_checkpatch() {
  local folder files status=0
  folder=$(scripts/checkpatch.sh) || return
  mapfile -t files < <(files 'kmod/*.[ch]' 'tests/kmod/*.[ch]' ':!kmod/uapi' ':!kmod/compat.h' ':!kmod/trace.h')
  run_checkpatch "$folder" "" "${files[@]}" || status=1
  # The one place that asks for the version; checkpatch takes LINUX_VERSION_CODE for a constant.
  run_checkpatch "$folder" LINUX_VERSION_CODE,CONSTANT_COMPARISON kmod/compat.h || status=1
  # A tracepoint is written as in the kernel's own trace headers, which it complains of, too.
  run_checkpatch "$folder" PARENTHESIS_ALIGNMENT,OPEN_ENDED_LINE kmod/trace.h || status=1
  # BIT() is not for headers that user space includes.
  run_checkpatch "$folder" BIT_MACRO kmod/uapi/memplug.h || status=1
  return "$status"
}

# The model stands for functions that there are.
check_model() {
  /usr/bin/python3 -B tests/model/model.py --names
}

# Of the module: the objects that the check of the compiler has left.
check_rooms() {
  local newest
  newest=$(find build/lab -path '*/compiler/kmod' -printf '%T@ %p\n' | sort -rn | head -n 1)
  /usr/bin/python3 -B scripts/rooms.py tool tool &&
    /usr/bin/python3 -B scripts/rooms.py kmod "${newest#* }"
}

check_runs() {
  /usr/bin/python3 -B tests/lab/lab.py runs --check
}

check_compiler() {
  /usr/bin/python3 -B tests/lab/lab.py check-module compiler
}

check_sparse() {
  /usr/bin/python3 -B tests/lab/lab.py check-module sparse
}

check_clang_format() {
  files '*.cpp' '*.hpp' | xargs clang-format --dry-run -Werror
}

# Guest programs are no part of the CMake build, so their options are given here.
check_clang_tidy() {
  cmake --preset "$preset" || return
  cmake --preset bench-scale || return
  local status=0 tidy=(env PYTHONPATH=tests/lab /usr/bin/python3 -B scripts/tidy.py) guest
  files 'lib/*.cpp' 'tool/*.cpp' 'tests/unit/*.cpp' 'tests/cli/*.cpp' 'tests/kernel/*.cpp' \
    'tests/fuzz/*.cpp' |
    xargs "${tidy[@]}" -p "build/$preset" || status=1
  files 'tests/bench/scale/*.cpp' | xargs "${tidy[@]}" -p build/bench-scale || status=1
  mapfile -t guest < <(files 'examples/*.cpp' 'tests/lab/guest/*.cpp' 'tests/bench/guest/*.cpp')
  "${tidy[@]}" "${guest[@]}" -- -std=c++20 -Wall -Wextra -Ikmod/uapi -Ilib/include \
    -Itests/lab/guest || status=1
  return "$status"
}

check_shellcheck() {
  files run .ci/run 'scripts/*.sh' completions/memplugctl.bash | xargs shellcheck -x --source-path=SCRIPTDIR &&
    # busybox's ash is near enough to dash; /lab/lib.sh is in the guest only; rounding down to
    # whole subblocks looks like lost precision.
    files tests/lab/init 'tests/lab/*.sh' 'tests/lab/cases/*.sh' 'tests/bench/*.sh' \
      'tests/packaging/*.sh' 'debian/*.postrm' |
    xargs shellcheck -s dash -e SC1091,SC2017
}

check_flake8() {
  files '*.py' | xargs /usr/bin/python3 -m flake8 --max-line-length 100
}

# A change of the module that takes their place away leaves no proof.
check_mutants() {
  local file status=0
  while read -r file; do
    git apply --check "$file" || status=1
  done < <(files 'tests/mutants/*.patch')
  return "$status"
}

check_manual() {
  cmake --preset "$preset" || return
  mandoc -T lint -W warning "build/$preset"/man/*.[48]
}

# All but what has no comments, and the licences themselves.
check_spdx() {
  local file status=0
  while read -r file; do
    if ! head -n 3 "$file" | grep -q 'SPDX-License-Identifier: '; then
      echo "$file: no SPDX-License-Identifier in its first three lines"
      status=1
    fi
  done < <(files ':!tests/unit/golden' ':!tests/fuzz/corpus' ':!tests/fuzz/crashes' |
    grep -Ev '^(VERSION|LICENSE|LICENSES/.*|debian/(changelog|copyright|source/.*)|.*\.jsonl?|.*\.png)$')
  return "$status"
}

check_version_tests() {
  ! files 'kmod/*' | grep -v '^kmod/compat\.h$' |
    xargs grep -nE 'LINUX_VERSION_CODE|KERNEL_VERSION\('
}

check_leftovers() {
  # Spelt so that this line does not find itself.
  ! files ':!tests/fuzz/corpus' ':!tests/fuzz/crashes' | xargs grep -nIE 'TO''DO|FIX''ME|X''XX'
}

# Tests run side by side: two that name the same place are each other's fault.
check_test_folders() {
  ! files 'tests/unit/*' ':!tests/unit/support/temporary_folder.hpp' |
    xargs grep -nE 'TempDir|temp_directory_path|mk[ds]temp'
}

check "SPDX on every file" check_spdx
check "version tests in kmod/compat.h only" check_version_tests
check "no left-overs" check_leftovers
check "unit tests have folders of their own" check_test_folders
check "shellcheck" check_shellcheck
check "flake8" check_flake8
check "manual pages" check_manual
check "mutants have their place" check_mutants
check "clang-format" check_clang_format
check "checkpatch --strict" check_checkpatch
check "module builds without warnings at W=1" check_compiler
check "calls go down, from room to room" check_rooms
check "the model names what there is" check_model
check "sparse" check_sparse
check "docs/runs.md is the table of docs/runs.jsonl" check_runs
check "clang-tidy" check_clang_tidy

if [[ ${#failed[@]} -gt 0 ]]; then
  echo "lint: ${#failed[@]} failed"
  exit 1
fi
echo "lint: clean"
