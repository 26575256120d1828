# SPDX-License-Identifier: MIT
"""Reads the header of a case: the `# lab: key=value` lines that say what guest it wants."""

import dataclasses
import re
from pathlib import Path

import arch
import paths
import qemu
from outcome import Kind, LabError

_KEYS = {"mem", "numa", "smp", "timeout", "append", "disk", "module-args", "module",
         "modules", "max-mem", "added-mib", "devices", "qmp", "programs", "vmlinuz",
         "files", "kernel", "leaks", "alone", "objects", "python",
         "debug-append", "stuck", "system", "central", "large", "needs",
         "expect-report", "expect-panic", "expect", "expect-message"}
_LINE = re.compile(r"# lab: ([a-z-]+)=(.*)")


@dataclasses.dataclass(frozen=True)
class Case:
    """A case and what its header asks for."""

    path: Path
    values: dict[str, str]
    variant: str = ""

    @property
    def name(self) -> str:
        """As ctest shows it, without the lab's prefix; with its number, if it has one."""
        return self.path.stem + self.variant

    @property
    def timeout(self) -> float:
        """Seconds for the whole guest, boot included."""
        return float(self.values.get("timeout", "120"))

    @property
    def expect(self) -> Kind:
        """How the run is to end: a negative control names the failure that must be found."""
        return Kind(self.values.get("expect", "pass"))

    @property
    def message(self) -> str:
        """A control's end has to be told in words that this regular expression finds."""
        return self.values.get("expect-message", "")

    @property
    def only_kernel(self) -> str | None:
        """The kernel that alone can show what the case is about; None: any."""
        value = self.values.get("kernel")
        if value not in (None, "debug", "kcsan"):
            raise ValueError("kernel can only be debug or kcsan")
        return value

    @property
    def looks_for_leaks(self) -> bool:
        """Whether a kernel that can looks for memory that is unreachable at the end."""
        return self._is_set("leaks")

    @property
    def has_stuck_byte(self) -> bool:
        """Whether the guest may have a byte of its memory kept as it is, from outside."""
        return self._is_set("stuck")

    @property
    def wants_system(self) -> bool:
        """Whether it runs as a service of a whole Debian, on a disk, which it may reboot."""
        return self._is_set("system")

    @property
    def runs_alone(self) -> bool:
        """Whether no other guest may run beside. CMakeLists.txt reads it by itself."""
        return self._is_set("alone")

    @property
    def is_central(self) -> bool:
        """Whether every change of the module owes it on every kernel. For CMakeLists.txt."""
        return self._is_set("central")

    @property
    def takes_large_subblocks(self) -> bool:
        """Whether it is run with LARGE_SUBBLOCKS, too. For CMakeLists.txt."""
        return self._is_set("large")

    @property
    def prints_objects(self) -> bool:
        """Whether its stdout has objects of memplugctl that are to be as the schema says."""
        return self._is_set("objects")

    @property
    def needs(self) -> tuple[str, ...]:
        """What it needs that not every architecture has; arch.py names them."""
        names = self._list("needs")
        for name in names:
            if name not in arch.NEEDS:
                raise ValueError(f"no need '{name}'; known: {', '.join(arch.NEEDS)}")
        return names

    @property
    def load(self) -> bool:
        """Whether init loads the module."""
        return self.values.get("module", "load") != "none"

    def with_subblock_size(self, size: str) -> "Case":
        """The same case, with this parameter of the module beside its own."""
        args = f"{self.values.get('module-args', '')} subblock_size={size}".strip()
        return Case(self.path, {**self.values, "module-args": args}, f"-{size}")

    @property
    def kernel_modules(self) -> tuple[str, ...]:
        """The kernel's own modules that the case wants."""
        return self._list("modules")

    @property
    def added_mib(self) -> int:
        """What has come to the machine's memory by the end, by somebody else than memplug."""
        return int(self.values.get("added-mib", "0"))

    @property
    def commands_qemu(self) -> bool:
        """Whether the guest can give commands to its own QEMU."""
        return self._is_set("qmp")

    @property
    def programs(self) -> tuple[str, ...]:
        """Programs of this machine that the case wants."""
        return self._list("programs")

    @property
    def image(self) -> bool:
        """Whether the case wants the kernel's image."""
        return self._is_set("vmlinuz")

    @property
    def files(self) -> dict[str, Path]:
        """The files, and what lies in the folders, that the case wants, by their names at /lab."""
        found = {}
        for name in self._list("files"):
            if not _found(name).exists():
                raise ValueError(f"there is no {name} in {paths.LAB} or {paths.ROOT}")
            found.update(named_files(name))
        return found

    @property
    def runs_python(self) -> bool:
        """Whether the case wants what Python needs to run, beside the program."""
        return self._is_set("python")

    def machine(self) -> qemu.Machine:
        """The guest's hardware."""
        return qemu.Machine(self.values.get("mem", "6G"), int(self.values.get("numa", "1")),
                            int(self.values.get("smp", "2")), self.values.get("append", ""),
                            max_memory=self.values.get("max-mem"), devices=self._devices())

    @property
    def debug_append(self) -> str:
        """More of the kernel's command line, on the debug kernel only."""
        return self.values.get("debug-append", "")

    def _list(self, key: str) -> tuple[str, ...]:
        return tuple(filter(None, self.values.get(key, "").split(",")))

    def _is_set(self, key: str) -> bool:
        value = self.values.get(key)
        if value not in (None, "yes"):
            raise ValueError(f"{key} can only be yes")
        return value == "yes"

    def _devices(self) -> tuple[str, ...]:
        options: tuple[str, ...] = ()
        for name in self._list("devices"):
            if name not in qemu.DEVICES:
                raise ValueError(f"no device '{name}'; known: {', '.join(qemu.DEVICES)}")
            options += qemu.DEVICES[name]
        return options


def _found(name: str) -> Path:
    return paths.LAB / name if (paths.LAB / name).exists() else paths.ROOT / name


def named_files(name: str) -> dict[str, Path]:
    """A file of tests/lab, or of the project, or all in a folder, by their names at /lab."""
    found = _found(name)
    if found.is_file():
        return {name: found}
    return {f"{name}/{path.name}": path for path in sorted(found.iterdir()) if path.is_file()}


def read(name: str) -> Case:
    """The case of that name."""
    path = paths.CASES / f"{name}.sh"
    if not path.is_file():
        raise LabError(f"no case {name} in {paths.CASES}")
    values: dict[str, str] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        match = _LINE.fullmatch(line)
        if match:
            key, value = match.groups()
            if key not in _KEYS or key in values:
                raise LabError(f"{path.name}: '{key}' is unknown or there twice")
            values[key] = value.strip()
        elif line.startswith("# lab"):
            raise LabError(f"{path.name}: not a header line: {line}")
    case = Case(path, values)
    try:
        # A wrong value has to be told before a guest is built for it.
        case.machine(), case.timeout, case.expect, case.commands_qemu, case.image, \
            case.only_kernel, case.looks_for_leaks, case.runs_alone, case.wants_system, \
            case.is_central, case.takes_large_subblocks, case.prints_objects, \
            case.runs_python, case.files, case.needs
        if case.wants_system and (case.load or "disk" in values):
            raise ValueError("system=yes has its own disk and needs module=none")
        if case.message and case.expect == Kind.PASS:
            raise ValueError("expect-message is for controls")
        for key in ("expect-report", "expect-panic", "expect-message"):
            re.compile(values.get(key, ""))
    except (ValueError, re.error) as error:
        raise LabError(f"{path.name}: {error}") from error
    return case
