# SPDX-License-Identifier: MIT
"""What a guest's init is told: the plan it reads and the command it runs, as shell text."""

import dataclasses
import secrets
import shlex
from pathlib import Path


@dataclasses.dataclass(frozen=True)
class Plan:
    """One run of a guest, as its init sees it."""

    kernel_modules: list[Path]
    load: bool
    module_args: str = ""
    every_load: str = ""  # module parameters before those, and before those of a case that loads it
    disk: bool = False
    system: bool = False  # the disk has a whole system, which is to run the command
    interactive: bool = False
    granularity_mib: int = 2  # the smallest subblock_size
    slowness: int = 1  # how much longer things take than on Debian's own kernel
    leaks: bool = False
    # What each serial port is for, and its name: the console, what init is told to use, and more.
    ports: dict[str, str] = dataclasses.field(default_factory=dict)
    # New for each run, so that nothing but this run's init can have written the verdict.
    token: str = dataclasses.field(default_factory=lambda: secrets.token_hex(8))

    def text(self) -> str:
        """The file /lab/plan."""
        values = {
            "TOKEN": self.token,
            "MODULES": " ".join(path.name for path in self.kernel_modules),
            "LOAD": "yes" if self.load else "no",
            "MODULE_ARGS": self.module_args,
            "EVERY_LOAD": self.every_load,
            "DISK": "yes" if self.disk else "no",
            "SYSTEM": "yes" if self.system else "no",
            "INTERACTIVE": "yes" if self.interactive else "no",
            "LEAKS": "yes" if self.leaks else "no",
            "GRANULARITY_MIB": str(self.granularity_mib),
            "SLOWNESS": str(self.slowness),
            "PORTS": " ".join(f"{role}={port}" for role, port in self.ports.items()),
        }
        return "".join(f"PLAN_{name}={shlex.quote(value)}\n" for name, value in values.items())


def command_text(words: list[str]) -> str:
    """The file /lab/command: runs these words, none of them changed."""
    return f"exec {shlex.join(words)}\n"
