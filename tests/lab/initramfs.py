# SPDX-License-Identifier: MIT
"""Puts a guest's initramfs together: busybox, kmod, the tool, the module, what a run adds.

Builds nothing and boots nothing; the archive needs no root to make.
"""

import dataclasses
import subprocess
from pathlib import Path

import libraries
import paths
from newc import NewcWriter
from outcome import LabError

BUSYBOX = Path("/bin/busybox")
# busybox has these as well, but its insmod runs a module's failing init twice.
KMOD = Path("/bin/kmod")
KMOD_NAMES = ("insmod", "rmmod", "lsmod", "modinfo")
FOLDERS = ("dev", "proc", "sys", "tmp", "run", "mnt", "root", "with", "etc", "lab/bin",
           "usr/bin", "usr/sbin", "usr/lib", "usr/lib64")


@dataclasses.dataclass
class Contents:
    """What goes into one guest beyond the fixed part; all but `init` and `plan` optional."""

    init: Path
    plan: str
    command: str
    lab_files: dict[str, Path] = dataclasses.field(default_factory=dict)
    programs: list[Path] = dataclasses.field(default_factory=list)
    lab_programs: list[Path] = dataclasses.field(default_factory=list)
    kernel_modules: list[Path] = dataclasses.field(default_factory=list)
    given: list[Path] = dataclasses.field(default_factory=list)


def write(target: Path, contents: Contents):
    """Writes the archive."""
    with target.open("wb") as file:
        archive = NewcWriter(file)
        _base(archive)
        _add_program(archive, "init", contents.init)
        archive.file("lab/plan", contents.plan.encode())
        archive.file("lab/command", contents.command.encode())
        for name, path in contents.lab_files.items():
            archive.file(f"lab/{name}", path.read_bytes(), executable=_executable(path))
        for path in contents.programs:
            _add_program(archive, f"usr/bin/{path.name}", path)
        for path in contents.lab_programs:
            _add_program(archive, f"lab/bin/{path.name}", path)
        for path in contents.kernel_modules:
            archive.file(f"lab/modules/{path.name}", path.read_bytes())
        for path in contents.given:
            name = f"with/{path.name}"
            if name in archive:
                raise LabError(f"two files named {path.name} were given")
            _add_program(archive, name, path, executable=_executable(path))
        _applets(archive)
        archive.finish()


def _base(archive: NewcWriter):
    for folder in FOLDERS:
        archive.folder(folder)
    for name in ("bin", "sbin", "lib", "lib64"):
        archive.symlink(name, f"usr/{name}")
    # The kernel opens it for PID 1 before devtmpfs is there.
    archive.char_device("dev/console", 5, 1)
    archive.file("etc/passwd", b"root:x:0:0:root:/root:/bin/sh\n"
                               b"nobody:x:65534:65534:nobody:/:/bin/sh\n")
    archive.file("etc/group", b"root:x:0:\nnogroup:x:65534:\n")
    _add_program(archive, "usr/bin/busybox", BUSYBOX)
    _add_program(archive, "usr/bin/kmod", KMOD)
    for name in KMOD_NAMES:
        archive.symlink(f"usr/sbin/{name}", "../bin/kmod")


def _applets(archive: NewcWriter):
    # Last, so that a real program is never hidden by busybox's.
    applets = subprocess.run([BUSYBOX, "--list"], capture_output=True, text=True, check=True)
    for name in applets.stdout.split():
        if f"usr/sbin/{name}" not in archive and f"usr/bin/{name}" not in archive:
            archive.symlink(f"usr/bin/{name}", "busybox")


def _executable(path: Path) -> bool:
    return bool(path.stat().st_mode & 0o111)


def _add_program(archive: NewcWriter, name: str, path: Path, executable: bool = True):
    archive.file(name, path.read_bytes(), executable)
    for library in libraries.needed(path):
        # /lib and /lib64 are links to usr/ in the archive, as on Debian.
        inside = str(library).lstrip("/")
        if not inside.startswith("usr/"):
            inside = f"usr/{inside}"
        if inside not in archive:
            archive.file(inside, library.read_bytes(), executable=True)


def case_files(case: Path) -> dict[str, Path]:
    """What a case needs at /lab."""
    return {"lib.sh": paths.LAB / "lib.sh", f"cases/{case.name}": case}
