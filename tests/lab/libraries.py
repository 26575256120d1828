# SPDX-License-Identifier: MIT
"""Finds the shared libraries that a program needs on this machine. Copies nothing."""

import re
import subprocess
from pathlib import Path


def is_elf(path: Path) -> bool:
    """Whether a file is an ELF object."""
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"


def needed(program: Path) -> list[Path]:
    """The libraries and the loader of a program; none for a script or a static program."""
    if not is_elf(program):
        return []
    result = subprocess.run(["ldd", program], capture_output=True, text=True, check=False)
    if result.returncode != 0:
        return []
    missing = re.findall(r"^\s*(\S+) => not found", result.stdout, re.MULTILINE)
    if missing:
        raise FileNotFoundError(f"{program} needs {', '.join(missing)}, not found here")
    # "name => /path (0x..)", and "/path (0x..)" for the loader; the vdso has no path.
    return [Path(found) for found in re.findall(r"(?:=> |^\s*)(/\S+) \(0x", result.stdout,
                                                re.MULTILINE)]
