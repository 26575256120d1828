# SPDX-License-Identifier: MIT
"""Holds files against their rooms: includes, and the module's calls, go down only and in no circle.

usage: rooms.py kmod FOLDER...   (kmod/ itself, with the objects that a build has left)
       rooms.py tool FOLDER...
"""

import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

# From the bottom up; docs/design.md, "The house". What lies beside them is for all, but for main,
# which is above all.
HOUSES = {
    "kmod": ("policy", "machine", "books", "memory", "request", "duty", "device"),
    "tool": ("terminal", "words", "process", "machine", "look", "request", "quarantine", "ramtest",
             "doctor", "report", "verbs"),
}
# Its files are one thing, cut up to be read: they may call each other in circles.
ONE_THING = "books"


def room(name: str) -> str:
    """Of a file, by its path below kmod/ without the ending; empty: of none."""
    return name.partition("/")[0] if "/" in name else ""


def height(name: str, rooms: tuple[str, ...]) -> int:
    """Of a file: it may use what is not higher."""
    if name == "main":
        return len(rooms)
    return rooms.index(room(name)) if room(name) else -1


def includes(folder: Path) -> dict[str, set[str]]:
    """Which files each source and header names."""
    found = defaultdict(set)
    for path in sorted({*folder.rglob("*.[ch]"), *folder.rglob("*.[ch]pp")}):
        if path.name.endswith(".mod.c") or path.parent.name == "uapi":
            continue
        name = str(path.relative_to(folder).with_suffix(""))
        for header in re.findall(r'^#include "([^"]+)\.h(?:pp)?"', path.read_text(encoding="utf-8"),
                                 re.MULTILINE):
            here = any((folder / header).with_suffix(end).exists() for end in (".h", ".hpp"))
            if here and not header.startswith("uapi/") and header != name:
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


def upward(uses: dict[str, set[str]], rooms: tuple[str, ...]) -> list[str]:
    """Each use of something higher."""
    return [f"{name} -> {other}" for name, others in sorted(uses.items())
            for other in sorted(others) if height(other, rooms) > height(name, rooms)]


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


def main(house: str, folders: list[str]) -> int:
    """0 if all is as it should be."""
    status = 0
    for folder in map(Path, folders):
        found = {"includes": includes(folder)}
        if house == "kmod":
            found["calls"] = calls(folder)
        for what, uses in found.items():
            for use in upward(uses, HOUSES[house]):
                print(f"{what} go up: {use}")
                status = 1
            # A header and its source are one file here, so what includes in a circle may be sound.
            if what == "calls" and (path := circle(uses)):
                print(f"{what} in a circle: {' -> '.join(path)}")
                status = 1
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
