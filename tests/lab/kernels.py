# SPDX-License-Identifier: MIT
"""The guest kernels: one table, and fetching a kernel's image into the cache.

Never installs a kernel: the packages are downloaded and unpacked, no more.
"""

import dataclasses
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import paths
from outcome import LabError, say

DEFAULT = "6.1"

# What a guest may want, with everything these depend on. An image package holds 4,000 modules.
WANTED_MODULES = (
    "virtio_pci",
    "virtio_blk",
    "virtio_mem",
    "virtio_balloon",
    "virtio_console",
    "ext4",
    "crc32c_generic",
    "crc32c-intel",
)


@dataclasses.dataclass(frozen=True)
class Source:
    """Where a kernel comes from.

    headers: the metapackage that names the current headers; these must be installed, as the
    module is built against them. image: the image package of a release.
    """

    headers: str
    image: str


KERNELS = {
    "6.1": Source(headers="linux-headers-amd64", image="linux-image-{release}"),
}


@dataclasses.dataclass(frozen=True)
class Kernel:
    """A kernel that is ready to boot and to build against."""

    release: str
    folder: Path

    @property
    def image(self) -> Path:
        """The bzImage."""
        return self.folder / "vmlinuz"

    @property
    def headers(self) -> Path:
        """Where an external module is built."""
        return Path("/lib/modules") / self.release / "build"

    def module(self, name: str) -> Path:
        """The file of a kernel module; '-' and '_' are the same, as in modprobe."""
        wanted = name.replace("-", "_")
        for path in (self.folder / "modules").glob("*.ko"):
            if path.stem.replace("-", "_") == wanted:
                return path
        raise LabError(f"the lab keeps no kernel module '{name}' of {self.release}")

    def load_order(self, names: list[str]) -> list[Path]:
        """The files to insert for these modules, dependencies first."""
        order: list[Path] = []

        def visit(name: str):
            path = self.module(name)
            if path in order:
                return
            for dependency in module_depends(path):
                visit(dependency)
            order.append(path)

        for name in names:
            visit(name)
        return order


def module_depends(path: Path) -> list[str]:
    """What a module file says it depends on (its modinfo)."""
    match = re.search(rb"\0depends=([^\0]*)\0", path.read_bytes())
    return [name for name in match.group(1).decode().split(",") if name] if match else []


def installed(package: str, field: str) -> str:
    """A field of an installed package, '' if it is not installed."""
    result = subprocess.run(
        ["dpkg-query", "-W", "-f", f"${{db:Status-Abbrev}}${{{field}}}", package],
        capture_output=True, text=True, check=False)
    text = result.stdout
    return text[3:].strip() if result.returncode == 0 and text.startswith("ii") else ""


def release_of(name: str) -> tuple[str, str]:
    """(release, package version) of the headers that are installed for this kernel."""
    source = KERNELS[name]
    match = re.search(r"linux-headers-(\S+?-amd64)\b", installed(source.headers, "Depends"))
    if not match or not match.group(1).startswith(name + "."):
        raise LabError(f"{source.headers} is not installed for kernel {name}; "
                       f"on Debian 12: apt-get install {source.headers}")
    release = match.group(1)
    version = installed(f"linux-headers-{release}", "Version")
    if not version:
        raise LabError(f"linux-headers-{release} is not installed; "
                       f"apt-get install linux-headers-{release}")
    return release, version


def get(name: str) -> Kernel:
    """The kernel of that name, fetched if the cache lacks it."""
    if name not in KERNELS:
        raise LabError(f"unknown kernel '{name}'; known: {', '.join(KERNELS)}")
    release, version = release_of(name)
    kernel = Kernel(release, paths.cache() / "kernels" / f"{release}_{version}")
    if not kernel.folder.is_dir():
        package = KERNELS[name].image.format(release=release)
        _fetch(package, version, kernel)
    return kernel


def _fetch(package: str, version: str, kernel: Kernel):
    kernels = kernel.folder.parent
    kernels.mkdir(parents=True, exist_ok=True)
    # In the same file system as its target, so that the rename at the end is atomic.
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=kernels) as scratch:
        folder = Path(scratch)
        say(f"downloading {package} {version} (unpacked in the cache, not installed)")
        archive = download(f"{package}={version}", folder)
        tree = folder / "tree"
        subprocess.run(["dpkg-deb", "-x", archive, tree], check=True)
        ready = folder / "ready"
        _keep(tree, kernel.release, ready)
        try:
            os.rename(ready, kernel.folder)
        except OSError:
            # Another run was faster; what it left is the same.
            if not kernel.folder.is_dir():
                raise


def _keep(tree: Path, release: str, ready: Path):
    modules = ready / "modules"
    modules.mkdir(parents=True)
    for name in ("vmlinuz", "config"):
        shutil.copy(tree / "boot" / f"{name}-{release}", ready / name)
    files = {path.stem.replace("-", "_"): path
             for path in (tree / "lib/modules" / release).rglob("*.ko")}
    todo = [name.replace("-", "_") for name in WANTED_MODULES]
    while todo:
        path = files.get(todo.pop())
        # A module that this kernel has built in, or lacks, is missed where a case asks for it.
        if path is None or (modules / path.name).exists():
            continue
        shutil.copy(path, modules)
        todo += [name.replace("-", "_") for name in module_depends(path)]


def download(package: str, folder: Path) -> Path:
    """Downloads a package's archive into a folder, refreshing apt's lists if it is not known."""
    command = ["apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", package]
    first = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if first.returncode != 0:
        _update_lists()
        second = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if second.returncode != 0:
            raise LabError(f"apt-get can't download {package}:\n{second.stderr.strip()}\n"
                           "If the installed headers are older than what the mirror has, "
                           "upgrade them: apt-get install linux-headers-amd64")
    return next(folder.glob("*.deb"))


def _update_lists():
    update = ["apt-get", "-q", "update"]
    if os.geteuid() != 0:
        if not shutil.which("sudo"):
            return
        update = ["sudo", *update]
    say(f"{' '.join(update)} (the package is not in apt's lists)")
    subprocess.run(update, stdout=subprocess.DEVNULL, check=False)
