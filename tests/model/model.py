# SPDX-License-Identifier: MIT
"""Checks the model of memory hotplug and requests with spin, and that it finds what was once wrong.

usage: model.py [--names]   (--names: only that the functions it stands for are in kmod/)
"""

import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MODEL = Path(__file__).with_name("memplug.pml")
# Each is put back, and has to be found.
FAULTS = ("OLD_LOADED", "OLD_ROLL_BACK", "OLD_UNLOAD", "UNSETTLED")
SECONDS = 300


def missing() -> list[str]:
    """Functions that the model names and kmod/ does not have."""
    text = MODEL.read_text(encoding="utf-8")
    names = [name for line in re.findall(r"^ \* models: (.*)$", text, re.MULTILINE)
             for name in line.split()]
    names += re.findall(r"(?<![\w.])(memplug_\w+)\(\)", text)
    sources = "\n".join(path.read_text(encoding="utf-8")
                        for path in sorted((ROOT / "kmod").rglob("*.c")))
    return sorted({name for name in names
                   if not re.search(rf"^\w[\w \*]*\b{name}\(", sources, re.MULTILINE)})


def check(faults: tuple[str, ...]) -> tuple[int, int, float]:
    """How many errors spin finds, in how many states, and how long that took."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="memplug-model-") as folder:
        options = [f"-D{fault}" for fault in faults]
        # Also -Dname for spin's own preprocessor, which is the C compiler's.
        subprocess.run(["spin", *options, "-a", MODEL], cwd=folder, check=True,
                       stdout=subprocess.DEVNULL)
        subprocess.run(["cc", "-O2", "-DSAFETY", "-DCOLLAPSE", "-o", "pan", "pan.c"], cwd=folder,
                       check=True)
        found = subprocess.run(["./pan", "-m1000000"], cwd=folder, check=False, text=True,
                               capture_output=True, timeout=SECONDS).stdout
    errors = re.search(r"errors: (\d+)", found)
    states = re.search(r"(\d+) states, stored", found)
    if not errors or not states or "max search depth too small" in found:
        raise SystemExit(f"model: spin has come to no end:\n{found}")
    return int(errors.group(1)), int(states.group(1)), time.monotonic() - began


def main() -> int:
    """0 if the model holds, and finds each fault."""
    lost = missing()
    for name in lost:
        print(f"{MODEL.name}: {name}() is not in kmod/")
    if "--names" in sys.argv[1:] or lost:
        return 1 if lost else 0
    status = 0
    for faults in ((), *((fault,) for fault in FAULTS)):
        errors, states, seconds = check(faults)
        good = (errors == 0) == (not faults)
        status |= not good
        print(f"{' '.join(faults) or 'as it is':<14} {errors} errors in {states} states, "
              f"{seconds:.0f} s{'' if good else '   WRONG'}", flush=True)
    return int(status)


if __name__ == "__main__":
    sys.exit(main())
