# SPDX-License-Identifier: MIT
"""Puts bugs into the module on purpose, one at a time, and sees that a test is red with each.

tests/mutants/NAME.patch says in its first lines what the bug is and which case has to catch it. All
of it happens in a copy of the checkout.
"""

import argparse
import dataclasses
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import kernels
import ledger
import paths
from outcome import LabError, say

_PATCHES = paths.ROOT / "tests" / "mutants"
_COPY = paths.BUILD / "mutants"
_CAUGHT_BY = re.compile(r"^caught-by: ([a-z0-9-]+)(?: on (\S+))?$", re.MULTILINE)
_FAILED = re.compile(r"^FAIL: (.*)$", re.MULTILINE)


@dataclasses.dataclass(frozen=True)
class Mutant:
    """A bug: what it is, and the case and kernel that have to catch it."""

    path: Path
    what: str
    case: str
    kernel: str

    @property
    def name(self) -> str:
        """As on the command line."""
        return self.path.stem


def known() -> list[Mutant]:
    """Every mutant there is."""
    return [_read(path) for path in sorted(_PATCHES.glob("*.patch"))]


def _read(path: Path) -> Mutant:
    text = path.read_text(encoding="utf-8")
    caught = _CAUGHT_BY.search(text)
    if not caught:
        raise LabError(f"{path.name}: no line 'caught-by: CASE' or 'caught-by: CASE on KERNEL'")
    return Mutant(path, text.splitlines()[1], _case_file(caught.group(1)),
                  kernels.check_name(caught.group(2) or "6.1"))


def _case_file(name: str) -> str:
    # A leading number only sorts the files.
    found = [path.stem for path in paths.CASES.glob("*.sh")
             if re.sub(r"^\d+-", "", path.stem) == name]
    if len(found) != 1:
        raise LabError(f"there is no case {name}")
    return found[0]


def run(options: argparse.Namespace) -> int:
    """0 if each was caught."""
    chosen = known()
    if options.names:
        names = {mutant.name for mutant in chosen}
        unknown = set(options.names) - names
        if unknown:
            raise LabError(f"no mutant {', '.join(sorted(unknown))}; "
                           f"there are: {', '.join(sorted(names))}")
        chosen = [mutant for mutant in chosen if mutant.name in options.names]
    _copy_checkout()
    # Green without a bug, or red with one proves nothing.
    for case, kernel in sorted({(mutant.case, mutant.kernel) for mutant in chosen}):
        failure = _run_case(case, kernel)
        if failure:
            raise LabError(f"{case} on {kernel} fails without any bug: {failure}")
        say(f"{case} on {kernel} passes without a bug")
    began = time.monotonic()
    survivors = [mutant.name for mutant in chosen if not _is_caught(mutant)]
    ledger.note("mutants" if not options.names else "mutants, some", "",
                time.monotonic() - began,
                f"{len(chosen) - len(survivors)} of {len(chosen)} caught", ", ".join(survivors))
    if survivors:
        print(f"not caught: {', '.join(survivors)}")
        return 1
    print(f"each of {len(chosen)} bugs was caught")
    return 0


def _copy_checkout():
    """What git tracks or would track; what was built of an earlier copy stays for make."""
    listed = subprocess.run(["git", "ls-files", "-coz", "--exclude-standard"], cwd=paths.ROOT,
                            capture_output=True, check=True).stdout.decode()
    wanted = {name for name in listed.split("\0") if name and (paths.ROOT / name).is_file()}
    for name in wanted:
        source, target = paths.ROOT / name, _COPY / name
        if not target.is_file() or target.read_bytes() != source.read_bytes():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)
    for path in _COPY.rglob("*"):
        relative = path.relative_to(_COPY)
        if relative.parts[0] != "build" and path.is_file() and str(relative) not in wanted:
            path.unlink()


def _patch(mutant: Mutant, *options: str):
    subprocess.run(["patch", "--quiet", "-p1", "--fuzz=0", *options, "-i", mutant.path],
                   cwd=_COPY, check=True)


def _is_caught(mutant: Mutant) -> bool:
    say(f"{mutant.name}: {mutant.what}")
    _patch(mutant)
    try:
        failure = _run_case(mutant.case, mutant.kernel)
    finally:
        _patch(mutant, "--reverse")
    verdict = f"caught: {failure}" if failure else "NOT CAUGHT"
    print(f"{mutant.name} ({mutant.case} on {mutant.kernel}): {verdict}", flush=True)
    return failure is not None


def _run_case(case: str, kernel: str) -> str | None:
    """The line that says how it failed; None: it passed."""
    result = subprocess.run(
        [sys.executable, "-B", _COPY / "tests/lab/lab.py", "case", case],
        cwd=_COPY, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        env={**os.environ, "MEMPLUG_KERNEL": kernel})
    if result.returncode == 0:
        return None
    # The case's own words come before the lab's.
    found = _FAILED.search(result.stdout)
    if not found:
        raise LabError(f"{case} did not run:\n{result.stdout[-2000:]}")
    return found.group(1)
