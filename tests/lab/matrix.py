# SPDX-License-Identifier: MIT
"""Runs the lab's tests on each kernel and prints one table. The tests are ctest's; so is their
order, and what they need.
"""

import argparse
import dataclasses
import json
import os
import subprocess
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import kernels
import ledger
import paths
from outcome import LabError, say

_FOLDER = paths.LAB_BUILD / "matrix"


@dataclasses.dataclass(frozen=True)
class Row:
    """What became of one kernel's tests."""

    kernel: str
    release: str
    passed: int
    skipped: list[str]
    failed: list[str]
    seconds: float


def run(options: argparse.Namespace) -> int:
    """0 if every test passed on every kernel."""
    rows = []
    for name in options.kernels or list(kernels.KERNELS):
        # Before the clock starts: the first time fetches or builds the kernel.
        kernel = kernels.get(name)
        rows.append(_run_tests(kernel, options))
        _tell(rows[-1])
        _note(rows[-1], options)
    _write(rows)
    print(table(rows))
    return 1 if any(row.failed or not row.passed for row in rows) else 0


def _run_tests(kernel: kernels.Kernel, options: argparse.Namespace) -> Row:
    _FOLDER.mkdir(parents=True, exist_ok=True)
    results = _FOLDER / f"{kernel.name}.xml"
    log = _FOLDER / f"{kernel.name}.log"
    results.unlink(missing_ok=True)
    label = "^central$" if options.central else "^lab$"
    command = ["ctest", "--test-dir", str(options.build), "-j", str(os.cpu_count() or 1),
               "--output-on-failure", "-L", label, "--output-junit", str(results)]
    if options.tests:
        command += ["-R", options.tests]
    say(f"{kernel.name}: testing on Linux {kernel.release}; the output goes to {log}")
    began = time.monotonic()
    with log.open("wb") as output:
        subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, check=False,
                       env={**os.environ, "MEMPLUG_KERNEL": kernel.name,
                            "MEMPLUG_MODULE_ARGS": options.module_args})
    return read(results, kernel.name, kernel.release, time.monotonic() - began)


def read(results: Path, name: str, release: str, seconds: float) -> Row:
    """What ctest's JUnit file says."""
    if not results.is_file():
        raise LabError(f"ctest ran no test on kernel {name}; see {_FOLDER / name}.log")
    passed, skipped, failed = 0, [], []
    for case in ElementTree.parse(results).getroot().iter("testcase"):
        if case.get("status") == "run":
            passed += 1
        elif case.find("skipped") is not None and case.get("status") == "notrun" \
                and "SKIP_RETURN_CODE" in (case.find("skipped").get("message") or ""):
            skipped.append(case.get("name"))
        else:
            failed.append(case.get("name"))
    return Row(name, release, passed, skipped, failed, seconds)


def table(rows: list[Row]) -> str:
    """The table, as Markdown."""
    lines = ["| kernel | release | passed | skipped | failed | minutes |",
             "|---|---|---|---|---|---|"]
    lines += [f"| {row.kernel} | {row.release} | {row.passed} "
              f"| {_names(row.skipped)} | {_names(row.failed)} | {row.seconds / 60:.0f} |"
              for row in rows]
    return "\n".join(lines)


def _names(names: list[str]) -> str:
    return f"{len(names)}: {', '.join(names)}" if names else "0"


def _tell(row: Row):
    say(f"{row.kernel}: {row.passed} passed, {len(row.skipped)} skipped, "
        f"{len(row.failed)} failed, {row.seconds:.0f} s")
    for name in row.failed:
        say(f"{row.kernel}: failed: {name}")


def _note(row: Row, options: argparse.Namespace):
    words = ["matrix", "--central" if options.central else "", options.module_args,
             "--tests" if options.tests else ""]
    ledger.note(" ".join(filter(None, words)), row.release, row.seconds,
                f"{row.passed} passed, {len(row.skipped)} skipped, {len(row.failed)} failed",
                ", ".join(row.failed))


def _write(rows: list[Row]):
    text = json.dumps([dataclasses.asdict(row) for row in rows], indent=2)
    (_FOLDER / "matrix.json").write_text(text + "\n", encoding="utf-8")
