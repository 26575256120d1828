# SPDX-License-Identifier: MIT
"""Holds the module's files against its rooms: calls and includes go down only, and in no circle.

usage: rooms.py FOLDER...   (kmod/, with the objects that a build has left)
"""

import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

# From the bottom up; docs/design.md, "The house". What lies beside them is for all, but for main.c,
# which is above all.
ROOMS = ("policy", "machine", "books", "memory", "request", "duty", "device")
# Its files are one thing, cut up to be read: they may call each other in circles.
ONE_THING = "books"


def room(name: str) -> str:
    """Of a file, by its path below kmod/ without the ending; empty: of none."""
    return name.partition("/")[0] if "/" in name else ""


def height(name: str) -> int:
    """Of a file: it may use what is not higher."""
    if name == "main":
        return len(ROOMS)
    return ROOMS.index(room(name)) if room(name) else -1


def includes(folder: Path) -> dict[str, set[str]]:
    """Which files each source and header names."""
    found = defaultdict(set)
    for path in folder.rglob("*.[ch]"):
        if path.name.endswith(".mod.c") or path.parent.name == "uapi":
            continue
        name = str(path.relative_to(folder).with_suffix(""))
        for header in re.findall(r'^#include "([^"]+)\.h"', path.read_text(encoding="utf-8"),
                                 re.MULTILINE):
            if not header.startswith("uapi/") and header != name:
                found[name].add(header)
    return found


def calls(folder: Path) -> dict[str, set[str]]:
    """Which file's symbols each object needs."""
    owner, needed = {}, defaultdict(set)
    for path in folder.rglob("*.o"):
        if path.name in ("memplug.o", "memplug.mod.o"):
            continue
        name = str(path.relative_to(folder).with_suffix(""))
        listing = subprocess.run(["nm", path], stdout=subprocess.PIPE, text=True, check=True).stdout
        for *_, kind, symbol in map(str.split, listing.splitlines()):
            if kind == "U":
                needed[name].add(symbol)
            elif kind.isupper():
                owner[symbol] = name
    if not owner:
        raise SystemExit(f"rooms: {folder} has no objects: build the module there first")
    return {name: {owner[symbol] for symbol in symbols if symbol in owner} - {name}
            for name, symbols in needed.items()}


def upward(uses: dict[str, set[str]]) -> list[str]:
    """Each use of something higher."""
    return [f"{name} -> {other}" for name, others in sorted(uses.items())
            for other in sorted(others) if height(other) > height(name)]


def circle(uses: dict[str, set[str]]) -> list[str]:
    """One circle that is not inside of books/, or nothing."""
    done: set[str] = set()
    path: list[str] = []

    def walk(name: str) -> list[str]:
        if name in path:
            found = path[path.index(name):] + [name]
            return found if {room(one) for one in found} != {ONE_THING} else []
        if name in done:
            return []
        path.append(name)
        for other in sorted(uses.get(name, ())):
            if room(name) == room(other) == ONE_THING:
                continue
            if found := walk(other):
                return found
        path.pop()
        done.add(name)
        return []

    for name in sorted(uses):
        if found := walk(name):
            return found
    return []


def main(folders: list[str]) -> int:
    """0 if all is as it should be."""
    status = 0
    for folder in map(Path, folders):
        for what, uses in (("includes", includes(folder)), ("calls", calls(folder))):
            for use in upward(uses):
                print(f"{what} go up: {use}")
                status = 1
            # A header and its source are one file here, so what includes in a circle may be sound.
            if what == "calls" and (found := circle(uses)):
                print(f"{what} in a circle: {' -> '.join(found)}")
                status = 1
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
