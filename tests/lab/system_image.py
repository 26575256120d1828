# SPDX-License-Identifier: MIT
"""A disk with a small Debian that systemd starts, for what has to be seen in a whole system.

Of this machine's own suite, so that what is built here runs there. It has no kernel: guests bring
one, and what modules they need. Nothing of the project is in it.
"""

import platform
import shutil
import subprocess
from pathlib import Path

import debian_root
import kernel_files
import paths
from outcome import LabError, say

_PACKAGES = ("kmod", "systemd-sysv", "udev")
_SIZE = 1 << 30
_SIZE_TO_WORK_IN = 8 << 30


def get(more: tuple[str, ...] = ()) -> Path:
    """The disk's image, an ext4 file system, with these packages, too. Not to be written to."""
    suite = platform.freedesktop_os_release().get("VERSION_CODENAME", "")
    packages = (*_PACKAGES, *more)
    return kernel_files.cached(paths.cache() / "systems" / "_".join((suite, *packages)),
                               lambda scratch: _make(suite, packages, scratch)) / "disk"


def _make(suite: str, packages: tuple[str, ...], scratch: Path):
    if not shutil.which("genext2fs"):
        raise LabError("a system's disk is made with genext2fs, which is not installed; "
                       "apt-get install genext2fs")
    say(f"fetching a Debian {suite} with {', '.join(packages)} (in the cache)")
    disk = scratch / "disk"
    debian_root.make(["--variant=minbase", "--format=ext2", f"--include={','.join(packages)}",
                      "--customize-hook=echo memplug-lab >\"$1/etc/hostname\"",
                      suite, str(disk), f"deb {debian_root.MIRROR} {suite} main"],
                     f"Debian {suite} with systemd")
    # mmdebstrap leaves no room, and ext2 has no journal: a guest that is ended may be booted again.
    with disk.open("r+b") as file:
        file.truncate(_SIZE if packages == _PACKAGES else _SIZE_TO_WORK_IN)
    for command in (["e2fsck", "-fy"], ["resize2fs"], ["tune2fs", "-j"]):
        program = shutil.which(command[0], path="/usr/sbin:/sbin:/usr/bin")
        result = subprocess.run([program, *command[1:], disk], stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, check=False)
        # e2fsck says with 1 that it has put something right.
        if result.returncode > (1 if command[0] == "e2fsck" else 0):
            raise LabError(f"{command[0]} can't prepare a system's disk:\n{result.stdout}")
