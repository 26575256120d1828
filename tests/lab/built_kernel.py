# SPDX-License-Identifier: MIT
"""The kernels that are built here: Debian's kernel source, machine.config, and a configuration of
their own. Kept in the cache.

Everything is keyed by what goes into it, so that a change builds it anew.
"""

import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path

import arch
import host_kernel
import kernel_files
import paths
from outcome import LabError, say

# Their checks under emulation: a second of a case is so many here.
SLOWNESS = 6
# What touches each page takes twice that, with a second guest beside it. ctest reads this line.
PATIENCE = 12
# Compiled in, but off unless asked for. Page poisoning is asked for by some cases only: at boot
# it fills all of memory, which takes 20 s of every guest. KCSAN would panic of races that are not
# memplug's; warnings are found in the log.
ARGUMENTS = {"debug": "page_owner=on", "kcsan": "page_owner=on panic_on_warn=0"}
_PACKAGE = "linux-source-6.1"
_MACHINE = paths.LAB / "machine.config"
# On x86-64 the stack filter of fault injection was shut off until 6.2; frame pointers will do.
_STACK_FILTER = ("lib/Kconfig.debug", "\tdepends on !X86_64\n")
_RECIPE = 1  # raised when this file changes what it builds
# Modules are built against the rest.
_SOURCE_FOLDERS = ("arch", "include", "scripts", "tools")


def get(name: str) -> tuple[str, Path, Path]:
    """(release, folder, headers) of the kernel that NAME.config makes."""
    fragments = (_MACHINE, paths.LAB / f"{name}.config")
    key = hashlib.sha256(b"".join(fragment.read_bytes() for fragment in fragments)
                         + str(_RECIPE).encode()).hexdigest()[:12]
    version = _source_version()
    folder = kernel_files.cached(
        kernel_files.kernels_folder() / f"{name}_{version}_{key}",
        lambda scratch: _make(scratch, name, fragments))
    headers = folder / "source"
    release = (headers / "include/config/kernel.release").read_text(encoding="ascii").strip()
    return release, folder, headers


def _source_version() -> str:
    """The version of the source package that apt would download."""
    result = subprocess.run(["apt-cache", "show", "--no-all-versions", _PACKAGE],
                            capture_output=True, text=True, check=False)
    match = re.search(r"^Version: (\S+)$", result.stdout, re.MULTILINE)
    if match:
        return match.group(1)
    raise LabError(f"apt knows no package {_PACKAGE}; apt-get update")


def _make(scratch: Path, name: str, fragments: tuple[Path, ...]):
    say(f"building the {name} kernel from {_PACKAGE} (139 MB to download; minutes, in the cache)")
    source = _unpack(scratch)
    _configure(source, fragments)
    _run(["make", f"-j{os.cpu_count() or 1}", arch.here().image_target, "modules"], source)
    kernel_files.keep(arch.here().built_image(source), source / ".config", source, scratch)
    _prune(source)


def _unpack(scratch: Path) -> Path:
    archive = host_kernel.download(_PACKAGE, scratch)
    files = scratch / "files"
    subprocess.run(["dpkg-deb", "-x", archive, files], check=True)
    archive.unlink()
    source = scratch / "source"
    source.mkdir()
    subprocess.run(["tar", "-xJf", files / f"usr/src/{_PACKAGE}.tar.xz", "-C", source,
                    "--strip-components=1"], check=True)
    shutil.rmtree(files)
    kconfig, line = _STACK_FILTER
    text = (source / kconfig).read_text(encoding="utf-8")
    before, entry, after = text.partition("config FAULT_INJECTION_STACKTRACE_FILTER\n")
    if not entry or line not in after:
        raise LabError(f"{kconfig} is not what it was: look after _STACK_FILTER")
    (source / kconfig).write_text(before + entry + after.replace(line, "", 1), encoding="utf-8")
    return source


def _configure(source: Path, fragments: tuple[Path, ...]):
    _run(["make", "tinyconfig"], source)
    _run(["scripts/kconfig/merge_config.sh", "-m", ".config", *map(str, fragments)], source)
    _run(["make", "olddefconfig"], source)
    # kconfig drops what depends on something else without a word.
    made = set((source / ".config").read_text(encoding="utf-8").splitlines())
    for fragment in fragments:
        missing = [line for line in fragment.read_text(encoding="utf-8").splitlines()
                   if re.match(r"(# )?CONFIG_", line) and line not in made]
        if missing:
            raise LabError(f"{fragment.name}: kconfig does not take {', '.join(missing)}")


def _prune(source: Path):
    """Leaves what an external module needs."""
    for path in source.iterdir():
        if path.is_dir() and path.name not in _SOURCE_FOLDERS:
            shutil.rmtree(path)
        elif path.name.startswith(("vmlinux", ".tmp_vmlinux")) and path.name != "vmlinux.symvers":
            path.unlink()
    for path in (source / "arch").iterdir():
        if path.is_dir() and path.name != arch.here().source:
            shutil.rmtree(path)
    for pattern in ("*.o", "*.a", "*.ko", "*.gcno", arch.here().image_target):
        for path in (source / "arch").rglob(pattern):
            path.unlink()


def _run(command: list[str], source: Path):
    result = subprocess.run(command, cwd=source, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True, check=False)
    if result.returncode != 0:
        raise LabError(f"{' '.join(command)} failed:\n"
                       + "\n".join(result.stdout.splitlines()[-30:]))
