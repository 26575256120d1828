# SPDX-License-Identifier: MIT
"""What the lab keeps of a kernel: its image, its configuration, the modules that guests want.

Knows no package and no source: it picks from a tree that somebody else has unpacked or built.
"""

import contextlib
import fcntl
import lzma
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import arch
import paths
from outcome import LabError, say

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
    "zram",
)
# The file with the names of those that were wanted when the others were kept.
_WANTED = "wanted"


def cached(folder: Path, make: Callable[[Path], None],
           is_good: Callable[[Path], bool] = Path.is_dir) -> Path:
    """The folder, made by make(scratch) if it is not there, or not good any more: whole, or not
    at all."""
    # When what is there could not be made anew, for a day: not each time.
    failed = folder.with_name(f".{folder.name}.failed")
    if is_good(folder) or (folder.is_dir() and _is_of_today(failed)):
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _locked(folder):
        if is_good(folder) or (folder.is_dir() and _is_of_today(failed)):
            return folder
        # In the same file system as its target, so that the rename at the end is atomic.
        scratch = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        old = scratch.with_name(f"{scratch.name}-old")
        try:
            try:
                make(scratch)
            except (LabError, subprocess.CalledProcessError) as error:
                # What is there lacks a module that one case or the other wants.
                if not folder.is_dir():
                    raise
                say(f"{folder.name} stays as it is in the cache: {error}")
                failed.touch()
                return folder
            scratch.chmod(0o755)
            if folder.is_dir():
                os.rename(folder, old)
            os.rename(scratch, folder)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
            shutil.rmtree(old, ignore_errors=True)
    return folder


def _is_of_today(stamp: Path) -> bool:
    return stamp.is_file() and time.time() - stamp.stat().st_mtime < 86400


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    # Two runs would fetch or build the same for minutes.
    with (folder.parent / f".{folder.name}.lock").open("w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def kernels_folder() -> Path:
    """Where kernels are kept."""
    return paths.cache() / "kernels"


def has_wanted_modules(folder: Path) -> bool:
    """Whether a folder that keep() has filled has all that is wanted by now."""
    wanted = folder / _WANTED
    return wanted.is_file() and wanted.read_text(encoding="ascii").split() == list(WANTED_MODULES)


def module_depends(path: Path) -> list[str]:
    """What a module file says it depends on (its modinfo)."""
    match = re.search(rb"\0depends=([^\0]*)\0", path.read_bytes())
    return [name for name in match.group(1).decode().split(",") if name] if match else []


def keep(image: Path, config: Path, module_tree: Path, target: Path):
    """Copies what the lab needs into a folder."""
    modules = target / "modules"
    modules.mkdir(parents=True)
    shutil.copy(image, target / "vmlinuz")
    shutil.copy(config, target / "config")
    (target / _WANTED).write_text("\n".join(WANTED_MODULES) + "\n", encoding="ascii")
    files = {_module_name(path): path
             for pattern in ("*.ko", "*.ko.xz") for path in module_tree.rglob(pattern)}
    if not files:
        raise LabError(f"no modules below {module_tree}")
    todo = [name.replace("-", "_") for name in WANTED_MODULES]
    while todo:
        path = files.get(todo.pop())
        # A module that this kernel has built in, or lacks, is missed where a case asks for it.
        if path is None:
            continue
        copy = modules / path.name.removesuffix(".xz")
        if copy.exists():
            continue
        data = path.read_bytes()
        # The lab's own insmod need not know the compression.
        copy.write_bytes(lzma.decompress(data) if path.suffix == ".xz" else data)
        todo += [name.replace("-", "_") for name in module_depends(copy)]


def bootable(image: Path) -> Path:
    """The kernel that is inside an image, if there is one that QEMU starts sooner; made once."""
    unpacked = image.with_name("unpacked")
    if not unpacked.exists():
        kernel = arch.here().unpack(image.read_bytes())
        # Whole or not at all, and empty where there is none: guests start side by side.
        with tempfile.TemporaryDirectory(dir=image.parent) as scratch:
            new = Path(scratch) / unpacked.name
            new.write_bytes(kernel or b"")
            os.replace(new, unpacked)
    return unpacked if unpacked.stat().st_size else image


def _module_name(path: Path) -> str:
    return path.name.removesuffix(".xz").removesuffix(".ko").replace("-", "_")
