# SPDX-License-Identifier: MIT
"""Kernels of other Debian suites: each in a root of that suite, with its compiler and headers.

A module has to be built with the kbuild programs of its kernel, which want their own libc, and
with the compiler that the kernel names: so a small Debian of that suite is put into the cache, and
kbuild runs inside it. Nothing of it runs otherwise.
"""

import dataclasses
import shutil
import subprocess
from pathlib import Path

import arch
import kernel_files
import paths
from outcome import LabError, say

BOUND = "/module"  # where the folder to build in appears inside the root
MIRROR = "http://deb.debian.org/debian"
_UNNEEDED = ("doc", "info", "locale", "man")
_IN_ROOT = "/fetch_kernel.sh"


@dataclasses.dataclass(frozen=True)
class Suite:
    """The suite that a root is made of, and the one that has the kernel if that is another."""

    base: str
    kernel: str | None = None


def get(series: str, suite: Suite) -> tuple[str, Path, Path]:
    """(release, folder of the kernel, root) of the newest kernel of a series that Debian has.

    What is in the cache is taken as it is, whether or not there is a newer one by now, unless it
    lacks a module that the lab has come to want.
    """
    folder = kernel_files.cached(kernel_files.kernels_folder() / f"{series}_{suite.base}",
                                 lambda scratch: _make(series, suite, scratch),
                                 kernel_files.has_wanted_modules)
    release = (folder / "release").read_text(encoding="ascii").strip()
    return release, folder, folder / "root"


def command(root: Path, folder: Path, argv: list[str]) -> list[str]:
    """Runs a command inside a root, the folder bound to BOUND; needs no rights but its owner's."""
    # objtool wants /proc.
    script = ('mount -t proc proc "$1/proc"; mount --bind "$2" "$1$3"; root=$1; shift 3; '
              'exec chroot "$root" "$@"')
    return ["unshare", "--map-root-user", "--mount", "--pid", "--fork", "--kill-child",
            "sh", "-ec", script, "sh", str(root), str(folder), BOUND, *argv]


def make(arguments: list[str], what: str):
    """Runs mmdebstrap; what it is to make, for the message."""
    if not shutil.which("mmdebstrap"):
        raise LabError(f"{what} is made with mmdebstrap, which is not installed; "
                       "apt-get install mmdebstrap")
    result = subprocess.run(["mmdebstrap", "--quiet", *arguments], stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True, check=False)
    if result.returncode != 0:
        raise LabError(f"mmdebstrap can't make {what}:\n"
                       + "\n".join(result.stdout.splitlines()[-20:]))


def _make(series: str, suite: Suite, scratch: Path):
    say(f"fetching Linux {series} and Debian {suite.base} to build with (0.5 GB, in the cache)")
    root = scratch / "root"
    lists = [f"deb {MIRROR} {name} main" for name in (suite.base, suite.kernel) if name]
    script = paths.LAB / "fetch_kernel.sh"
    make([
        "--variant=apt",
        *[f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in _UNNEEDED],
        f"--customize-hook=upload '{script}' {_IN_ROOT}",
        f"--customize-hook=chroot \"$1\" sh {_IN_ROOT} {series} {arch.here().debian}",
        f"--customize-hook=install -d -m 1777 \"$1{BOUND}\"",
        suite.base, str(root), *lists], f"Debian {suite.base} with Linux {series}")
    release = (root / "kernel/release").read_text(encoding="ascii").strip()
    _keep(root, release, scratch)


def _keep(root: Path, release: str, scratch: Path):
    tree = scratch / "tree"
    for archive in sorted((root / "kernel").glob("*.deb")):
        subprocess.run(["dpkg-deb", "-x", archive, tree], check=True)
    modules = next((path for path in (tree / "usr/lib/modules" / release,
                                      tree / "lib/modules" / release) if path.is_dir()), None)
    # 7.3's packages have the image among the modules.
    image = next((path for path in (tree / "boot" / f"vmlinuz-{release}",
                                    tree / "usr/lib/modules" / release / "vmlinuz")
                  if path.is_file()), None)
    if not modules or not image:
        raise LabError(f"the packages of Linux {release} have no image or no modules")
    config = root / f"usr/src/linux-headers-{release}/.config"
    kernel_files.keep(image, config, modules, scratch)
    (scratch / "release").write_text(f"{release}\n", encoding="ascii")
    shutil.rmtree(tree)
    shutil.rmtree(root / "kernel")
