# SPDX-License-Identifier: MIT
"""What differs between architectures: QEMU's machine, its ports, what guests have there.

A case says in its header what it needs of that; nothing else in the lab names an architecture.
"""

import dataclasses
import functools
import platform
from collections.abc import Callable
from pathlib import Path

import bzimage
from outcome import LabError

# What a case may need that not every architecture has, in words that end "has no ...".
NEEDS = {
    "block-offlining": "offlining of the memory that it booted with",
    "memory-devices": "memory devices that come and go by ACPI",
    "programs-32": "programs of 32 bits",
    "low-memory": "memory from address 0",
    "low-2g": "2 GiB below 4 GiB, the rest above",
    "sleep-states": "sleep states that keep memory or the disk",
    "crash-kernel": "crash kernel that kexec starts from the same image",
}


@dataclasses.dataclass(frozen=True)
class Arch:
    """One architecture, as the lab's guests have it.

    name: as `uname -m` says it. debian: as Debian does. qemu: the program. machine: its options.
    serial: how a serial port is plugged in, by number; more have to be on a bus of their own.
    ports: their names in a guest, by number, the console's first. image_target: what make builds.
    source: its folder of the kernel's sources. unpack: what makes of an image's bytes a kernel that
    QEMU starts sooner, or None. low_size, high_start: how much of a guest that has
    more is below 4 GiB, and where the rest begins. has: those of NEEDS.
    """

    name: str
    debian: str
    qemu: str
    machine: tuple[str, ...]
    serial: tuple[str, ...]
    ports: tuple[str, ...]
    image_target: str
    source: str
    unpack: Callable[[bytes], bytes | None]
    low_size: int
    high_start: int
    has: frozenset[str]

    @property
    def console(self) -> str:
        """The port of the console."""
        return self.ports[0]

    def built_image(self, tree: Path) -> Path:
        """Where make leaves it in the kernel's sources."""
        return tree / "arch" / self.source / "boot" / self.image_target

    def lacks(self, needs: tuple[str, ...]) -> list[str]:
        """Those of the needs that are not met, in words."""
        return [NEEDS[need] for need in needs if need not in self.has]

    def offset_of(self, address: int) -> int:
        """Where a physical address is in a file that is a guest's whole memory."""
        return address if address < self.high_start else address - self.high_start + self.low_size


_ALL = (
    Arch(
        name="x86_64", debian="amd64", qemu="qemu-system-x86_64",
        machine=("-M", "q35", "-cpu", "max"),
        # An interrupt for each: legacy ports share them in pairs.
        serial=tuple(f"isa-serial,iobase={iobase},irq={irq},index={number}"
                     for number, (iobase, irq) in enumerate(
                         (("0x3f8", 4), ("0x2f8", 3), ("0x3e8", 5), ("0x2e8", 7)))),
        ports=("ttyS0", "ttyS1", "ttyS2", "ttyS3", "ttyS4", "ttyS5"),
        image_target="bzImage", source="x86", unpack=bzimage.kernel_inside,
        # What q35 puts below 4 GiB of a guest that has more than 2.75 GiB.
        low_size=2 << 30, high_start=4 << 30,
        has=frozenset(NEEDS)),
)


@functools.cache
def here() -> Arch:
    """This machine's, which is the guests', too."""
    name = platform.machine()
    for arch in _ALL:
        if arch.name == name:
            return arch
    raise LabError(f"the lab has no guests for {name}; known: {', '.join(a.name for a in _ALL)}")
