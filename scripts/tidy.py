# SPDX-License-Identifier: MIT
"""Runs clang-tidy on files side by side, but for those in which it has found nothing before.

    tidy.py -p BUILD FILE...        options are those of BUILD/compile_commands.json
    tidy.py FILE... -- OPTION...    options are given here

What was clean is remembered in the cache, by a hash of all that decides it: clang-tidy's version,
its configuration, the options, and every file that is included. Findings are never remembered, so
they come again until they are mended. Prints them, and how many files were not looked at anew; 1:
there are findings. Wants tests/lab in PYTHONPATH.
"""

import argparse
import concurrent.futures
import functools
import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import paths

_TIDY = ["clang-tidy", "--quiet", "--warnings-as-errors=*"]
# clang-tidy counts on stderr what it does not show.
_COUNT = re.compile(r"^\d+ warnings?( and \d+ errors?)? generated\.$")


@functools.cache
def _hash_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@functools.cache
def _version() -> str:
    return subprocess.run([_TIDY[0], "--version"], stdout=subprocess.PIPE, text=True,
                          check=True).stdout


def _anywhere(text: str) -> str:
    """The same in whichever folder the checkout is."""
    return text.replace(f"{paths.ROOT}/", "")


def commands_of(database: Path) -> dict[Path, list[tuple[Path, list[str]]]]:
    """Each file's folders and compiler commands, without what they make."""
    commands = {}
    for entry in json.loads((database / "compile_commands.json").read_text(encoding="utf-8")):
        words = shlex.split(entry["command"])
        output = words.index("-o")
        del words[output:output + 2]
        words.remove("-c")
        commands.setdefault(Path(entry["file"]), []).append((Path(entry["directory"]), words))
    return commands


def forget():
    """Files and programs may have changed since they were looked at."""
    _hash_of.cache_clear()
    _version.cache_clear()


def _included(folder: Path, command: list[str]) -> list[Path] | None:
    """The file and all that it includes, as the compiler sees it; None: it does not compile."""
    result = subprocess.run([*command, "-M"], cwd=folder, stdout=subprocess.PIPE,
                            stderr=subprocess.DEVNULL, text=True, check=False)
    if result.returncode != 0:
        return None
    _, _, names = result.stdout.replace("\\\n", " ").partition(": ")
    return [folder / name for name in shlex.split(names)]


def key(commands: list[tuple[Path, list[str]]]) -> str | None:
    """Changes with anything that could change what clang-tidy says of a file that compiles."""
    facts = [_version(), " ".join(_TIDY), _hash_of(paths.ROOT / ".clang-tidy")]
    for folder, command in commands:
        included = _included(folder, command)
        if included is None:
            return None
        facts.append(_anywhere(shlex.join(command)))
        facts += [f"{_anywhere(str(path))} {_hash_of(path)}" for path in included]
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()


def _look(command: list[str], known: Path | None) -> tuple[bool, str]:
    """Whether there are findings, and what clang-tidy says. Remembers that it says nothing."""
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            check=False)
    said = "\n".join(line for line in result.stdout.splitlines() if not _COUNT.match(line))
    if known and result.returncode == 0 and not said:
        known.touch()
    return result.returncode != 0, said


def run(files: list[Path], database: Path | None, options: list[str]) -> int:
    """The program."""
    folder = paths.cache() / "tidy"
    folder.mkdir(parents=True, exist_ok=True)
    commands = commands_of(database) if database else {
        path: [(Path.cwd(), ["c++", *options, str(path)])] for path in files}
    tail = ["--", *options] if options else []
    where = ["-p", str(database)] if database else []

    def check(path: Path) -> tuple[bool, str] | None:
        name = key(commands[path])
        known = folder / name if name else None
        if known and known.exists():
            return None
        return _look([*_TIDY, *where, str(path), *tail], known)

    failed = known = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for result in pool.map(check, files):
            known += result is None
            found, said = result or (False, "")
            failed += found
            if said:
                print(said, flush=True)
    print(f"{len(files)} files, {known} of them known to be clean, {failed} with findings")
    return 1 if failed else 0


def main() -> int:
    """Reads the command line."""
    words, options = sys.argv[1:], []
    if "--" in words:
        at = words.index("--")
        words, options = words[:at], words[at + 1:]
    parser = argparse.ArgumentParser(description="clang-tidy, but not twice on what is clean")
    parser.add_argument("-p", dest="database", type=Path, metavar="BUILD",
                        help="the folder of compile_commands.json")
    parser.add_argument("files", nargs="+", type=lambda name: Path(name).resolve())
    chosen = parser.parse_args(words)
    if bool(chosen.database) == bool(options):
        parser.error("either -p BUILD or -- OPTION... says how the files are compiled")
    return run(chosen.files, chosen.database, options)


if __name__ == "__main__":
    sys.exit(main())
