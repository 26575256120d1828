# SPDX-License-Identifier: MIT
"""What was run, on which kernel, when, for how long, at which revision, and what came of it.

Runs add a line to build/runs.jsonl. Those that are to be remembered are in docs/runs.jsonl, and
docs/runs.md is the table of them.
"""

import argparse
import datetime
import json
import subprocess
from pathlib import Path

import paths
from outcome import say

_NEW = paths.BUILD / "runs.jsonl"
_KEPT = paths.ROOT / "docs" / "runs.jsonl"
_TABLE = paths.ROOT / "docs" / "runs.md"
_HEAD = """<!-- SPDX-License-Identifier: MIT -->
# What was run

The newest run of each kind on each kernel, from [runs.jsonl](runs.jsonl), which has the earlier
ones, too. `./run runs` shows them with those of this checkout, `./run runs --keep` adds these here.
A revision with a `+` had changes that were not committed.

"""


def note(what: str, kernel: str, seconds: float, result: str, details: str = ""):
    """One line for one run. kernel: its release, or nothing. What can't be noted fails no run."""
    line = {"date": datetime.date.today().isoformat(), "revision": _revision(), "what": what,
            "kernel": kernel, "minutes": round(seconds / 60, 1), "result": result,
            "details": details}
    try:
        _NEW.parent.mkdir(parents=True, exist_ok=True)
        # In one write, as several may run at once.
        with open(_NEW, "ab", buffering=0) as ledger:
            ledger.write((json.dumps(line) + "\n").encode())
    except OSError as error:
        say(f"not noted in {_NEW}: {error}")


def _revision() -> str:
    try:
        described = subprocess.run(["git", "describe", "--always", "--dirty=+", "--exclude=*"],
                                   cwd=paths.ROOT, capture_output=True, text=True, check=False)
    except OSError:
        return "no git"
    return described.stdout.strip() or "no git"


def _cell(value: object) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ")


def read(path: Path) -> list[dict]:
    """All lines of a ledger; none if there is no such file."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


def table(lines: list[dict]) -> str:
    """The newest of each kind on each kernel, as Markdown."""
    newest = {(line["what"], line["kernel"]): line
              for line in sorted(lines, key=lambda line: line["date"])}
    rows = ["| what | kernel | date | revision | minutes | result | details |",
            "|---|---|---|---|---|---|---|"]
    rows += [f"| {' | '.join(map(_cell, cells))} |" for cells in (
        (line["what"], line["kernel"] or "-", line["date"], line["revision"],
         line["minutes"] or "-", line["result"], line["details"])
        for _, line in sorted(newest.items()))]
    return "\n".join(rows) + "\n"


def run(options: argparse.Namespace) -> int:
    """The verb. With --check: 0 if the table is that of the ledger."""
    kept = read(_KEPT)
    if options.check:
        if _TABLE.read_text(encoding="utf-8") == _HEAD + table(kept):
            return 0
        print("docs/runs.md is not the table of docs/runs.jsonl; ./run runs --keep makes it")
        return 1
    new = read(_NEW)
    if not options.keep:
        print(table(kept + new), end="")
        return 0
    with _KEPT.open("a", encoding="utf-8") as ledger:
        for line in new:
            ledger.write(json.dumps(line) + "\n")
    _NEW.unlink(missing_ok=True)
    _TABLE.write_text(_HEAD + table(kept + new), encoding="utf-8")
    return 0
