# SPDX-License-Identifier: MIT
"""Coverage of the module: keeps what guests counted, and makes one report of all of it.

What a guest counted belongs to one build of the module, and is kept below that build's name.
"""

import argparse
import hashlib
import io
import json
import shutil
import subprocess
import tarfile
from pathlib import Path

import artefacts
import ledger
import paths
from outcome import LabError, say

_FOLDER = paths.LAB_BUILD / "coverage"
_GCDA = "*.gcda"


def run(_options: argparse.Namespace) -> int:
    """The verb: a line a file, and the pages."""
    target = paths.BUILD / "coverage"
    built = artefacts.build("debug", "needed")
    summary = _report(built, target)
    for row in summary["files"]:
        _print(row, row["filename"])
    _print(summary, "kmod/")
    ledger.note("coverage", built.kernel.release, 0, f"{summary['line_percent']} % of "
                f"{summary['line_total']} lines, {summary['branch_percent']} % of branches")
    say(f"line by line: {target / 'kmod.html'}")
    return 0


def _print(figures: dict, name: str):
    print(f"{_percent(figures, 'line')} of {figures['line_total']:4} lines  "
          f"{_percent(figures, 'branch')} of {figures['branch_total']:4} branches  {name}")


def _percent(figures: dict, what: str) -> str:
    # Of none there is no part.
    percent = figures[f"{what}_percent"]
    return f"{100.0 if percent is None else percent:6.1f} %"


def keep(built: artefacts.Built, name: str, archive: bytes):
    """Keeps what one guest counted, if its kernel counts."""
    if not archive:
        return
    folder = _of_build(built)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.tgz").write_bytes(archive)


def _of_build(built: artefacts.Built) -> Path:
    return _FOLDER / hashlib.sha256(built.modules[0].read_bytes()).hexdigest()[:12]


def _report(built: artefacts.Built, target: Path) -> dict:
    """Writes the report of all guests of this build to a folder; returns gcovr's summary."""
    archives = sorted(_of_build(built).glob("*.tgz"))
    if not archives:
        raise LabError("nothing has run with this build of the module on an instrumented kernel; "
                       "./run test --kernel debug")
    objects = built.modules[0].parent
    merged = _FOLDER / "merged"
    shutil.rmtree(merged, ignore_errors=True)
    say(f"merging what {len(archives)} guests counted")
    for archive in archives:
        _merge(archive.read_bytes(), merged, objects)
    for gcno in objects.rglob("*.gcno"):
        if not gcno.with_suffix(".c").exists():
            continue  # of a source that is gone
        target_folder = merged / gcno.parent.relative_to(objects)
        target_folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(gcno, target_folder)
    # Headers of the kernel have names that begin there. gcov, which runs in this folder, looks for
    # them, and gcovr drops a file one of whose headers gcov can't open.
    for folder in ("include", "arch"):
        (merged / folder).symlink_to(built.kernel.headers / folder)
    target.mkdir(parents=True, exist_ok=True)
    source = objects.parent
    command = ["gcovr", "--root", str(source), "--object-directory", str(merged),
               "--filter", "kmod/", "--exclude-unreachable-branches",
               "--print-summary", "--txt", str(target / "kmod.txt"),
               "--json-summary", str(target / "kmod.json"),
               "--html-details", str(target / "kmod.html"), str(merged)]
    result = subprocess.run(command, cwd=source, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise LabError(f"gcovr failed:\n{result.stderr.strip()}")
    return json.loads((target / "kmod.json").read_text(encoding="utf-8"))


def _merge(archive: bytes, merged: Path, objects: Path):
    one = _FOLDER / "one"
    shutil.rmtree(one, ignore_errors=True)
    one.mkdir(parents=True)
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for member in tar.getmembers():
            path = Path("/") / member.name
            if member.isfile() and path.match(_GCDA) and path.is_relative_to(objects):
                counted = one / path.relative_to(objects)
                counted.parent.mkdir(parents=True, exist_ok=True)
                counted.write_bytes(tar.extractfile(member).read())
    if not merged.exists():
        one.rename(merged)
        return
    both = _FOLDER / "both"
    shutil.rmtree(both, ignore_errors=True)
    result = subprocess.run(["gcov-tool", "merge", "-o", both, merged, one],
                            capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise LabError(f"gcov-tool failed:\n{result.stderr.strip()}")
    shutil.rmtree(merged)
    both.rename(merged)
