# SPDX-License-Identifier: MIT
"""What is compared: the drivers, the states of memory, and who measures what in which order.

Boots nothing and measures nothing; a new driver or state is a new row here.
"""

import dataclasses
from pathlib import Path

import qemu

MIB = 1 << 20
GIB = 1 << 30
# Each driver's guest has as much in all.
TOTAL = 6 * GIB
DEVICE = 4 * GIB
INITS = (1, 0)


@dataclasses.dataclass(frozen=True)
class State:
    """A state of memory, made before a measurement; what is in it, tests/bench/guest.sh knows.

    judged: held against bounds; else it is told only.
    """

    name: str
    requested: int
    module_args: str = ""
    judged: bool = True


STATES = {state.name: state for state in (
    State("idle", 2 * GIB),
    # What programs beside it notice.
    State("beside", 2 * GIB, judged=False),
    State("coarse", 2 * GIB),
    State("half", 2 * GIB),
    State("fine", 2 * GIB),
    State("sprinkled", 3 * GIB, module_args="subblock_size=2M"),
    State("full", 256 * MIB),
)}

# Looked at before any of these, and without a driver: how late a program is that waits, with
# nothing else to do for the guest, and with every CPU busy with a program that computes.
REFERENCES = ("quiet", "busy")


@dataclasses.dataclass(frozen=True)
class Driver:
    """One way to take memory out of a guest.

    kind: virtio-mem, virtio-balloon, memplug or buddy, as pacer calls it. states: those it
    is measured in.
    """

    name: str
    kind: str
    module_args: str = ""
    states: tuple[str, ...] = tuple(STATES)

    def machine(self, cpus: int, init: int, qmp: Path) -> qemu.Machine:
        """The guest it is measured in."""
        # Boot memory all lies below 4 GiB, so ZONE_NORMAL is the added memory's alone: the
        # device's, or that of a DIMM of the same size. What boot leaves behind is in neither.
        added = ("-object", f"memory-backend-ram,id=added,size={DEVICE}")
        if self.kind == "virtio-mem":
            devices = ("-device", "virtio-mem-pci,id=vm0,memdev=added,node=0,block-size=2M,"
                                  f"requested-size={DEVICE}")
        else:
            devices = ("-device", "pc-dimm,memdev=added")
        if self.kind == "virtio-balloon":
            devices += ("-device", "virtio-balloon-pci")
        return qemu.Machine(memory="2G", max_memory="8G", cpus=cpus, devices=added + devices,
                            append=f"init_on_alloc={init} memhp_default_state=online_kernel",
                            qmp=qmp)

    @property
    def kernel_modules(self) -> tuple[str, ...]:
        """Loaded before anything else; virtio_mem itself is loaded later, by guest.sh."""
        return {"virtio-mem": ("virtio_pci",),
                "virtio-balloon": ("virtio_pci", "virtio_balloon")}.get(self.kind, ())

    @property
    def added_mib(self) -> int:
        """What the device has provided at the end, which was not there at boot."""
        return DEVICE // MIB if self.kind == "virtio-mem" else 0

    def host_command(self, out: int) -> tuple[str, dict]:
        """The QMP command after which `out` bytes are to be out of the guest."""
        if self.kind == "virtio-mem":
            return "qom-set", {"path": "vm0", "property": "requested-size", "value": DEVICE - out}
        if self.kind == "virtio-balloon":
            return "balloon", {"value": TOTAL - out}
        raise ValueError(f"{self.name} needs nothing of the host")


# memplug-address is virtio-mem's policy without the device, memplug-1 tells what the second
# worker brings. buddy-2m and buddy-4m are no drivers: two threads that allocate blocks of order 9
# and 10, which is as fast as free memory can be had.
DRIVERS = {driver.name: driver for driver in (
    Driver("virtio-mem", "virtio-mem"),
    Driver("virtio-balloon", "virtio-balloon",
           states=tuple(state for state in STATES if state != "beside")),
    Driver("memplug", "memplug", "floor=16M"),
    Driver("memplug-address", "memplug", "floor=16M order=address workers=1",
           states=("coarse", "half")),
    Driver("memplug-1", "memplug", "floor=16M workers=1", states=("idle",)),
    Driver("buddy-2m", "buddy", "order=9 threads=2", states=("idle",)),
    Driver("buddy-4m", "buddy", "order=10 threads=2", states=("idle", "beside")),
)}


def order(drivers: list[str], number: int) -> list[str]:
    """The drivers in the order of this round: each is first in turn, every other round backwards.

    What drifts on the host while a round runs then favours none of them.
    """
    shift = number // 2 % len(drivers)
    turned = drivers[shift:] + drivers[:shift]
    return turned[::-1] if number % 2 else turned
