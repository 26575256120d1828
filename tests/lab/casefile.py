# SPDX-License-Identifier: MIT
"""Reads the header of a case: the `# lab: key=value` lines that say what guest it wants."""

import dataclasses
import re
from pathlib import Path

import paths
import qemu
from outcome import Kind, LabError

_KEYS = {"mem", "numa", "smp", "timeout", "append", "disk", "module-args", "module",
         "modules", "expect-report", "expect"}
_LINE = re.compile(r"# lab: ([a-z-]+)=(.*)")


@dataclasses.dataclass(frozen=True)
class Case:
    """A case and what its header asks for."""

    path: Path
    values: dict[str, str]

    @property
    def name(self) -> str:
        """As ctest shows it, without the lab's prefix."""
        return self.path.stem

    @property
    def timeout(self) -> float:
        """Seconds for the whole guest, boot included."""
        return float(self.values.get("timeout", "120"))

    @property
    def expect(self) -> Kind:
        """How the run is to end: a negative control names the failure that must be found."""
        return Kind(self.values.get("expect", "pass"))

    @property
    def load(self) -> bool:
        """Whether init loads the module."""
        return self.values.get("module", "load") != "none"

    @property
    def kernel_modules(self) -> tuple[str, ...]:
        """The kernel's own modules that the case wants."""
        return tuple(filter(None, self.values.get("modules", "").split(",")))

    def machine(self) -> qemu.Machine:
        """The guest's hardware."""
        return qemu.Machine(self.values.get("mem", "6G"), int(self.values.get("numa", "1")),
                            int(self.values.get("smp", "2")), self.values.get("append", ""))


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
        case.machine(), case.timeout, case.expect, re.compile(values.get("expect-report", ""))
    except (ValueError, re.error) as error:
        raise LabError(f"{path.name}: {error}") from error
    return case
