# SPDX-License-Identifier: MIT
"""The guest kernels: one table of where each comes from, and what can be done with one.

Never installs a kernel: each is fetched or built into the cache.
"""

import dataclasses
import os
from collections.abc import Callable
from pathlib import Path

import built_kernel
import debian_root
import host_kernel
import kernel_files
from outcome import LabError


@dataclasses.dataclass(frozen=True)
class Kernel:
    """A kernel that is ready to boot and to build against.

    headers: where an external module is built, below `root` if there is one: another Debian's
    root, whose compiler and kbuild have to be used. slowness: how much longer than Debian's own
    kernel it usually takes, which a case goes by. patience: how much longer it has until a guest
    is given up. arguments: on its command line, before a case's own.
    small: its configuration is the lab's own, and lacks what cases can be without.
    instrumented: it reports leaks, and modules can be built so that it counts what ran.
    """

    name: str
    release: str
    folder: Path
    headers: Path
    root: Path | None = None
    slowness: int = 1
    patience: int = 1
    arguments: str = ""
    small: bool = False
    instrumented: bool = False

    @property
    def granularity_mib(self) -> int:
        """The smallest subblock that memplug may have here (docs/kernel.md says why), in MiB."""
        major, minor = map(int, self.release.split("-")[0].split(".")[:2])
        return 2 if (major, minor) >= (5, 19) else 4

    @property
    def image(self) -> Path:
        """The image, as it was installed; `bootable` is what guests start."""
        return self.folder / "vmlinuz"

    @property
    def bootable(self) -> Path:
        """The image, or what QEMU starts sooner in its place."""
        return kernel_files.bootable(self.image)

    def make(self, folder: Path, *arguments: str) -> list[str]:
        """The kbuild line for the sources in a folder."""
        options = ["-j", str(os.cpu_count() or 1), "-C", str(self.headers)]
        if self.root:
            return debian_root.command(self.root, folder,
                                       ["make", *options, f"M={debian_root.BOUND}", *arguments])
        return ["make", *options, f"M={folder}", *arguments]

    def _find_module(self, name: str) -> Path | None:
        wanted = name.replace("-", "_")
        return next((path for path in (self.folder / "modules").glob("*.ko")
                     if path.stem.replace("-", "_") == wanted), None)

    def has_module(self, name: str) -> bool:
        """Whether it is a module of this kernel, and not built in or missing."""
        return self._find_module(name) is not None

    def module(self, name: str) -> Path:
        """The file of a kernel module; '-' and '_' are the same, as in modprobe."""
        path = self._find_module(name)
        if not path:
            raise LabError(f"the lab keeps no kernel module '{name}' of {self.release}")
        return path

    def _is_built_in(self, name: str) -> bool:
        symbol = "CONFIG_" + name.replace("-", "_").upper()
        return f"{symbol}=y" in (self.folder / "config").read_text("utf-8").splitlines()

    def has(self, name: str) -> bool:
        """Whether it is a module of this kernel, or built in."""
        return self._is_built_in(name) or self.has_module(name)

    def load_order(self, names: list[str]) -> list[Path]:
        """The files to insert for these modules, dependencies first; what is built in has none."""
        order: list[Path] = []

        def visit(name: str):
            path = self.module(name)
            if path in order:
                return
            for dependency in kernel_files.module_depends(path):
                visit(dependency)
            order.append(path)

        for name in names:
            if not self._is_built_in(name):
                visit(name)
        return order


def _host() -> Kernel:
    release, folder = host_kernel.get()
    return Kernel("6.1", release, folder, Path("/lib/modules") / release / "build")


def _of_suite(name: str, suite: debian_root.Suite) -> Callable[[], Kernel]:
    def get_it() -> Kernel:
        release, folder, root = debian_root.get(name, suite)
        return Kernel(name, release, folder, Path("/lib/modules") / release / "build", root)
    return get_it


def _debian_12() -> Kernel:
    # ./run installs the headers on a Debian 12, and what makes a root anywhere else.
    if host_kernel.is_here():
        return _host()
    return _of_suite("6.1", debian_root.Suite("bookworm"))()


def _built(name: str) -> Callable[[], Kernel]:
    def get_it() -> Kernel:
        release, folder, headers = built_kernel.get(name)
        return Kernel(name, release, folder, headers, slowness=built_kernel.SLOWNESS,
                      patience=built_kernel.PATIENCE, arguments=built_kernel.ARGUMENTS[name],
                      small=True, instrumented=name == "debug")
    return get_it


KERNELS: dict[str, Callable[[], Kernel]] = {
    "5.10": _of_suite("5.10", debian_root.Suite("bullseye")),
    "6.1": _debian_12,
    "6.12": _of_suite("6.12", debian_root.Suite("bookworm", "bookworm-backports")),
    "7.3": _of_suite("7.3", debian_root.Suite("trixie", "trixie-backports")),
    "debug": _built("debug"),
    "kcsan": _built("kcsan"),
}


def check_name(name: str) -> str:
    """The name, if there is such a kernel."""
    if name not in KERNELS:
        raise LabError(f"unknown kernel '{name}'; known: {', '.join(KERNELS)}")
    return name


def default() -> str:
    """The kernel that is meant where none is named; `./run test --kernel` sets it for all."""
    return check_name(os.environ.get("MEMPLUG_KERNEL") or "6.1")


def get(name: str) -> Kernel:
    """The kernel of that name, fetched or built if the cache lacks it."""
    return KERNELS[check_name(name)]()
