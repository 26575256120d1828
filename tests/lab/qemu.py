# SPDX-License-Identifier: MIT
"""The QEMU command line of a guest. Runs nothing."""

import dataclasses
import re
from pathlib import Path

import arch
from outcome import LabError

_UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
# nokaslr: the kernel's own memory would be anywhere in ZONE_NORMAL, at another place each boot.
KERNEL_ARGUMENTS = ("console={console} ignore_loglevel panic=-1 oops=panic panic_on_warn=1 "
                    "nokaslr 8250.nr_uarts={ports}")
_SLOTS = 4
# Devices of other drivers, by the name that a case's header uses. Those that take memory hold
# nothing until QEMU is told how much they should.
DEVICES = {
    # Behind a bridge, as the devices of real machines are; any that can be reset will do.
    "pci-function": ("-device", "pcie-root-port,id=root-port",
                     "-device", "virtio-rng-pci,bus=root-port"),
    "virtio-balloon": ("-device", "virtio-balloon-pci,id=balloon"),
    "virtio-mem": ("-object", "memory-backend-ram,id=virtio-mem-memory,size=1G",
                   "-device", "virtio-mem-pci,id=virtio-mem,memdev=virtio-mem-memory,node=0,"
                              "block-size=2M,requested-size=0"),
}


@dataclasses.dataclass(frozen=True)
class Machine:
    """What a guest is made of."""

    memory: str = "6G"
    nodes: int = 1
    cpus: int = 2
    append: str = ""
    disk: Path | None = None
    system: Path | None = None  # a disk that stays as it is, whatever is written; reboots keep that
    max_memory: str | None = None  # room for memory devices
    memory_file: Path | None = None  # that is to be its memory
    devices: tuple[str, ...] = ()  # more of QEMU's options
    qmp: Path | None = None  # a socket to give QEMU commands through
    own_qmp: Path | None = None  # a socket for the guest to give commands to its own QEMU


def size_in_bytes(text: str) -> int:
    """A size as QEMU takes it: 512M, 6G."""
    match = re.fullmatch(r"([1-9]\d*)([KMG])", text)
    if not match:
        raise LabError(f"'{text}' is not a size such as 512M or 6G")
    return int(match.group(1)) * _UNITS[match.group(2)]


def base_command(accel: str, reboots: bool = False) -> list[str]:
    """A machine without memory, disks and ports, that ends with a reboot unless it may do that."""
    # One thread a CPU also in emulation: two vCPUs on one thread would hide races.
    accelerator = "tcg,thread=multi" if accel == "tcg" else "kvm"
    return [arch.here().qemu, *arch.here().machine, "-accel", accelerator, "-nodefaults",
            "-nic", "none", "-display", "none", *([] if reboots else ["-no-reboot"])]


def command(machine: Machine, accel: str, image: Path, initrd: Path,
            ports: list[str]) -> list[str]:
    """The whole line. `ports` are chardev options for console, verdict, stdout, stderr and, if
    there is a fifth, coverage: that is the guest's last serial port."""
    line = base_command(accel, reboots=machine.system is not None)
    line += _processors(machine) + _memory(machine)
    serial = arch.here().serial
    for number, (port, device) in enumerate(zip(ports, serial)):
        line += ["-chardev", f"{port},id=port{number}", "-device", f"{device},chardev=port{number}"]
    if machine.disk:
        line += ["-drive", f"file={machine.disk},format=raw,if=virtio,cache=unsafe"]
    if machine.system:
        line += ["-drive", f"file={machine.system},format=raw,if=virtio,snapshot=on"]
    if machine.qmp:
        line += ["-qmp", f"unix:{machine.qmp},server=on,wait=off"]
    line += machine.devices
    if machine.own_qmp:
        line += _own_monitor(machine.own_qmp)
    for port in ports[len(serial):]:
        line += ["-chardev", f"{port},id=coverage", "-device", "pci-serial,chardev=coverage"]
    arguments = KERNEL_ARGUMENTS.format(console=arch.here().console,
                                        ports=len(ports) + (machine.own_qmp is not None))
    return line + ["-kernel", str(image), "-initrd", str(initrd),
                   "-append", f"{arguments} {machine.append}".strip()]


def _own_monitor(path: Path) -> list[str]:
    # QEMU listens and calls itself: what the guest writes to that port comes to the monitor.
    return ["-chardev", f"socket,id=own-monitor,path={path},server=on,wait=off",
            "-mon", "chardev=own-monitor,mode=control",
            "-chardev", f"socket,id=own-port,path={path}",
            "-device", "pci-serial,chardev=own-port"]


def _processors(machine: Machine) -> list[str]:
    if machine.nodes < 1 or machine.cpus % machine.nodes:
        raise LabError(f"{machine.cpus} CPUs can't be shared evenly by {machine.nodes} nodes")
    # A socket a node: the kernel warns of cores that share a cache but not a node.
    cores = machine.cpus // machine.nodes
    return ["-smp", f"{machine.cpus},sockets={machine.nodes},cores={cores},threads=1"]


def _memory(machine: Machine) -> list[str]:
    total = size_in_bytes(machine.memory)
    line = ["-m", machine.memory]
    if machine.max_memory:
        line[-1] += f",slots={_SLOTS},maxmem={machine.max_memory}"
    if machine.memory_file:
        line += ["-object", f"memory-backend-file,id=ram,size={total},share=on,"
                            f"mem-path={machine.memory_file}",
                 "-machine", "memory-backend=ram"]
    if machine.nodes == 1:
        return line
    if total % (machine.nodes << 20):
        raise LabError(f"{machine.memory} can't be shared evenly by {machine.nodes} nodes")
    share = total // machine.nodes
    cores = machine.cpus // machine.nodes
    for node in range(machine.nodes):
        cpus = f"cpus={node * cores}-{(node + 1) * cores - 1}"
        line += ["-object", f"memory-backend-ram,id=node{node},size={share}",
                 "-numa", f"node,nodeid={node},memdev=node{node},{cpus}"]
    return line
