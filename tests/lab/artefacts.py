# SPDX-License-Identifier: MIT
"""Builds what goes into a guest: the module, the tool, the guest programs.

Leaves the checkout clean: everything is built below build/.
"""

import concurrent.futures
import contextlib
import dataclasses
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import kernels
import paths
from outcome import LabError, say

GUEST_SOURCES = paths.LAB / "guest"
_EXAMPLES = paths.ROOT / "examples"
_LIBRARY = paths.ROOT / "lib"
BENCH_SOURCES = paths.ROOT / "tests" / "bench" / "guest"
HELPER_MODULES = paths.ROOT / "tests" / "kmod"
_MODULE_SOURCES = ("Kbuild", "VERSION", "kmod")
_RELEASE = paths.BUILD / "release"
_GUEST_FLAGS = ["-std=c++20", "-O2", "-Wall", "-Wextra", "-static", "-s",
                f"-I{paths.ROOT / 'kmod' / 'uapi'}", f"-I{GUEST_SOURCES}"]
# A guest program that is also wanted as a 32-bit caller says so near its top.
_ALSO_32BIT = "// lab: also-32bit"
# What every guest needs, even if it has no use for the test programs.
NEEDED_PROGRAMS = ("jsonget",)


@dataclasses.dataclass(frozen=True)
class Built:
    """The files that a guest can be made of."""

    kernel: kernels.Kernel
    modules: list[Path]
    tool: Path
    guest_programs: list[Path]

    def module_files(self) -> dict[str, Path]:
        """The modules by their name at /lab."""
        return {path.name: path for path in self.modules}

    def with_installed(self, folder: Path) -> "Built":
        """The same with the module and the tool of another build, as a package has them."""
        replaced = [folder / path.name if path.name == "memplug.ko" else path
                    for path in self.modules]
        for path in (folder / "memplug.ko", folder / "memplugctl"):
            if not path.is_file():
                raise LabError(f"{path}: no such file")
        return dataclasses.replace(self, modules=replaced, tool=folder / "memplugctl")


@contextlib.contextmanager
def locked() -> Iterator[None]:
    """Keeps two runs in the same checkout from building, or from reading what is half built."""
    paths.LAB_BUILD.mkdir(parents=True, exist_ok=True)
    with (paths.LAB_BUILD / "lock").open("w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def build(kernel_name: str, programs: str, module: bool = True) -> Built:
    """Builds what is out of date.

    `programs`: 'needed', 'native', 'all' (32-bit ones too), or 'bench' (the benchmark's).
    """
    # Who can't have the kernel learns it before the compilers work for minutes.
    kernel = kernels.get(kernel_name)
    with locked(), concurrent.futures.ThreadPoolExecutor() as pool:
        tool = pool.submit(build_tool)
        guest_programs = pool.submit(build_guest_programs, programs)
        modules = []
        if module:
            modules.append(build_module(kernel) / "kmod" / "memplug.ko")
            modules += build_helper_modules(kernel)
        return Built(kernel, modules, tool.result(), guest_programs.result())


def built(kernel_name: str) -> Built:
    """What an earlier build of everything left, taken as it is."""
    kernel = kernels.get(kernel_name)
    folder = paths.LAB_BUILD / kernel.release
    modules = [folder / "module" / "kmod" / "memplug.ko"]
    modules += sorted((folder / "helpers").glob("*.ko"))
    programs = [program for _, program, _ in _program_jobs("all")]
    return Built(kernel, modules, _tool(), programs)


def _run(command: list, what: str, cwd: Path | None = None) -> str:
    result = subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            text=True, check=False)
    if result.returncode != 0:
        raise LabError(f"{what} failed:\n{result.stdout.strip()}")
    return result.stdout


def _mirror(source: Path, target: Path):
    """Makes target's sources equal to source's; what is unchanged keeps its time for make."""
    wanted = {path.relative_to(source) for path in source.rglob("*")
              if path.is_file() and (path.suffix in (".c", ".h") or path.name == "Kbuild")}
    for relative in wanted:
        old, new = target / relative, (source / relative).read_bytes()
        if not old.is_file() or old.read_bytes() != new:
            old.parent.mkdir(parents=True, exist_ok=True)
            old.write_bytes(new)
    # What kbuild makes of its own carries .mod.c; anything else that vanished must go.
    for old in target.rglob("*.[ch]"):
        if old.relative_to(target) not in wanted and not old.name.endswith(".mod.c"):
            old.unlink()


def module_copy(kernel: kernels.Kernel, purpose: str = "module") -> Path:
    """A copy of the module's sources, to be built without touching the checkout."""
    target = paths.LAB_BUILD / kernel.release / purpose
    target.mkdir(parents=True, exist_ok=True)
    for name in _MODULE_SOURCES:
        source = paths.ROOT / name
        if source.is_dir():
            _mirror(source, target / name)
        elif not (target / name).is_file() \
                or (target / name).read_bytes() != source.read_bytes():
            shutil.copy(source, target / name)
    return target


def _warnings(output: str) -> list[str]:
    return re.findall(r"^.*(?:warning|error):.*$", output, re.MULTILINE)


# Each builds every file anew, in a copy of its own, and tells of everything it finds.
CHECKS = {"compiler": ("W=1",), "sparse": ("C=2",)}


def check_module(kernel_name: str, how: str) -> list[str]:
    """The warnings of the compiler at W=1, or of sparse."""
    with locked():
        kernel = kernels.get(kernel_name)
        folder = module_copy(kernel, how)
        _run(kernel.make(folder, "clean"), "cleaning the module's build")
        return _warnings(_run(kernel.make(folder, *CHECKS[how], "modules"), f"the {how} build"))


def build_module(kernel: kernels.Kernel) -> Path:
    """Builds the module; returns the folder of the copy."""
    folder = module_copy(kernel)
    options = ["W=1"]
    if kernel.instrumented:
        options.append("MEMPLUG_DEBUG=1")
    output = _run(kernel.make(folder, *options, "modules"), "building the module")
    warnings = _warnings(output)
    if warnings and os.environ.get("CI"):
        raise LabError("warnings while building the module:\n" + "\n".join(warnings))
    for line in warnings:
        say(line)
    return folder


def build_helper_modules(kernel: kernels.Kernel) -> list[Path]:
    """Builds the tests' own kernel modules, if there are any."""
    if not (HELPER_MODULES / "Kbuild").is_file():
        return []
    target = paths.LAB_BUILD / kernel.release / "helpers"
    _mirror(HELPER_MODULES, target)
    _run(kernel.make(target, "modules"), "building the helper modules")
    return sorted(target.glob("*.ko"))


def build_tool() -> Path:
    """Builds memplugctl as users get it."""
    if not (_RELEASE / "CMakeCache.txt").is_file():
        say("building the tool (some minutes, the first time)")
    _run(["cmake", "--preset", "release"], "configuring the tool", paths.ROOT)
    _run(["cmake", "--build", _RELEASE, "--target", "memplugctl", "-j",
          str(os.cpu_count() or 1)], "building the tool", paths.ROOT)
    return _tool()


def _tool() -> Path:
    for path in (_RELEASE / "memplugctl", _RELEASE / "tool" / "memplugctl"):
        if path.is_file():
            return path
    raise LabError(f"there is no memplugctl below {_RELEASE}")


def _program_jobs(which: str) -> list[tuple[Path, Path, list[str]]]:
    """(source, program, compiler options) of the guest programs."""
    target = paths.LAB_BUILD / "guest"
    jobs: list[tuple[Path, Path, list[str]]] = []
    for source in sorted(GUEST_SOURCES.glob("*.cpp")):
        if which in ("needed", "bench") and source.stem not in NEEDED_PROGRAMS:
            continue
        jobs.append((source, target / source.stem, []))
        head = source.read_text(encoding="utf-8").splitlines()[:10]
        if which == "all" and _ALSO_32BIT in (line.strip() for line in head):
            jobs.append((source, target / f"{source.stem}32", ["-m32"]))
    if which == "all":
        jobs += [(source, target / source.stem, []) for source in sorted(_EXAMPLES.glob("*.cpp"))]
        library = [f"-I{_LIBRARY / 'include'}", f"-I{_LIBRARY}",
                   *map(str, sorted(_LIBRARY.glob("*.cpp")))]
        jobs += [(source, target / source.stem, library)
                 for source in sorted((_EXAMPLES / "library").glob("*.cpp"))]
    if which == "bench":
        jobs += [(source, target / source.stem, []) for source in BENCH_SOURCES.glob("*.cpp")]
    return jobs


def build_guest_programs(which: str) -> list[Path]:
    """Builds the programs of tests/lab/guest or tests/bench/guest that are out of date."""
    (paths.LAB_BUILD / "guest").mkdir(parents=True, exist_ok=True)
    jobs = _program_jobs(which)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for done in [pool.submit(_build_program, *job) for job in jobs]:
            done.result()
    return [program for _, program, _ in jobs]


def _build_program(source: Path, program: Path, extra: list[str]):
    command = ["g++", *_GUEST_FLAGS, *extra]
    digest = hashlib.sha256(repr(command).encode())
    inputs = [source, *sorted(GUEST_SOURCES.glob("*.hpp")),
              *sorted(BENCH_SOURCES.glob("*.hpp")), paths.ROOT / "kmod" / "uapi" / "memplug.h"]
    if extra and str(_LIBRARY) in extra[0]:
        inputs += sorted(_LIBRARY.rglob("*.?pp"))
    for path in inputs:
        digest.update(path.read_bytes())
    stamp = program.with_suffix(".stamp")
    if program.is_file() and stamp.is_file() \
            and stamp.read_text(encoding="ascii") == digest.hexdigest():
        return
    _run([*command, "-o", program, source], f"building {source.name}")
    stamp.write_text(digest.hexdigest(), encoding="ascii")
