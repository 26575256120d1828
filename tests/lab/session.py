# SPDX-License-Identifier: MIT
"""Prepares and runs one guest from start to end: artefacts, initramfs, boot, verdict.

Both a user's command and a case come through here; what a case is, suite.py knows.
"""

import contextlib
import dataclasses
import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import accel
import arch
import artefacts
import guest
import initramfs
import kernels
import klog
import paths
import qemu
import system_image
import verdict
from outcome import LabError, Outcome, say
from plan import Plan, command_text

# Loaded in every guest that has a disk.
_DISK_MODULES = ["virtio_pci", "virtio_blk", "crc32c_generic", "ext4"]


@dataclasses.dataclass(frozen=True)
class Wish:
    """What a guest is to be and to do."""

    command: list[str]
    machine: qemu.Machine
    expected: verdict.Expectation
    kernel: str = dataclasses.field(default_factory=kernels.default)
    load: bool = True
    module_args: str = ""
    disk: str | None = None
    system: bool = False  # the command runs in a whole Debian, which may be rebooted
    system_packages: tuple[str, ...] = ()  # that it has besides
    disk_path: Path | None = None  # where it is left; otherwise it goes with the guest
    kernel_modules: tuple[str, ...] = ()
    lab_files: dict[str, Path] = dataclasses.field(default_factory=dict)
    given: tuple[Path, ...] = ()
    interactive: bool = False
    looks_for_leaks: bool = False
    commands_qemu: bool = False  # the guest may give commands to its own QEMU
    programs: tuple[str, ...] = ()  # this machine's, by name
    image: bool = False  # the kernel's image is at /lab/vmlinuz
    sleeps: bool = False  # what is started without its image does not wake up from suspend to RAM


@dataclasses.dataclass(frozen=True)
class Sinks:
    """Where a guest's ports go while it runs."""

    stdout: Callable[[bytes], None]
    stderr: Callable[[bytes], None]
    console: Callable[[bytes], None]
    line: Callable[[str], None]


@dataclasses.dataclass(frozen=True)
class _Prepared:
    plan: Plan
    accel: str
    image: Path
    initrd: Path
    machine: qemu.Machine

    def line(self, chardevs: list[str]) -> list[str]:
        return qemu.command(self.machine, self.accel, self.image, self.initrd, chardevs)


def run(wish: Wish, built: artefacts.Built, sinks: Sinks) -> tuple[guest.Run, Outcome]:
    """Boots the guest, waits for it, judges it."""
    with _prepared(wish, built) as ready:
        def make_line(chardevs: list[str]) -> list[str]:
            line = ready.line(chardevs)
            sinks.line(shlex.join(line))
            return line

        expected = dataclasses.replace(
            wish.expected, timeout=wish.expected.timeout * built.kernel.patience)
        result = guest.run(make_line, expected.timeout, sinks.stdout, sinks.stderr,
                           sinks.console, verdict.end_mark(ready.plan.token),
                           panics=1 if expected.panic else 0,
                           has_coverage=built.kernel.instrumented,
                           patience=built.kernel.patience)
    return result, verdict.judge(result, ready.plan.token, expected)


def run_shell(wish: Wish, built: artefacts.Built, show_line: Callable[[str], None]) -> int:
    """Boots the guest with this terminal as its console; returns QEMU's status."""
    with _prepared(wish, built) as ready:
        log = paths.LOGS / "shell.console"
        paths.LOGS.mkdir(parents=True, exist_ok=True)
        line = ready.line([f"file,path={log}", "null", "stdio,mux=on,signal=off", "null"])
        show_line(shlex.join(line))
        say(f"leave with 'exit', or end the guest at once with Ctrl-A X; "
            f"the kernel log goes to {log}")
        status = guest.run_interactive(line)
        for report in klog.reports(log.read_bytes()):
            say(f"the kernel log has a report: {report}")
        return status


@contextlib.contextmanager
def _prepared(wish: Wish, built: artefacts.Built) -> Iterator[_Prepared]:
    with tempfile.TemporaryDirectory(prefix="memplug-lab-") as scratch:
        folder = Path(scratch)
        # A case's own arguments come last, so that they win.
        machine = dataclasses.replace(
            wish.machine, append=f"{built.kernel.arguments} {wish.machine.append}".strip())
        wanted = list(wish.kernel_modules)
        if wish.disk or wish.system:
            # Some kernels have some of them built in.
            wanted = list(filter(built.kernel.has_module, _DISK_MODULES)) + wanted
        if wish.disk:
            machine = dataclasses.replace(machine, disk=_make_disk(
                wish.disk_path or folder / "disk", wish.disk))
        if wish.system:
            machine = dataclasses.replace(machine, system=system_image.get(wish.system_packages))
        if wish.commands_qemu:
            machine = dataclasses.replace(machine, own_qmp=folder / "qmp")
        modules = built.kernel.load_order(wanted)
        plan = Plan(kernel_modules=modules, load=wish.load, module_args=wish.module_args,
                    every_load=os.environ.get("MEMPLUG_MODULE_ARGS", ""),
                    disk=wish.disk is not None or wish.system, system=wish.system,
                    interactive=wish.interactive,
                    leaks=wish.looks_for_leaks, granularity_mib=built.kernel.granularity_mib,
                    slowness=built.kernel.slowness, ports=_ports(wish, built))
        image = built.kernel.image
        lab_files = {**built.module_files(), **wish.lab_files,
                     "verdict.sh": paths.LAB / "verdict.sh"}
        if wish.image:
            lab_files["vmlinuz"] = image
        contents = initramfs.Contents(
            init=paths.LAB / "init", plan=plan.text(), command=command_text(wish.command),
            lab_files=lab_files, programs=[built.tool, *map(_host_program, wish.programs)],
            lab_programs=built.guest_programs,
            kernel_modules=modules, given=list(wish.given))
        initrd = folder / "initramfs"
        with artefacts.locked():
            initramfs.write(initrd, contents)
        start = image if wish.sleeps else built.kernel.bootable
        yield _Prepared(plan, accel.choose(image), start, initrd, machine)


def _ports(wish: Wish, built: artefacts.Built) -> dict[str, str]:
    # In the order in which QEMU's line has them.
    roles = ["console", "verdict", "stdout", "stderr"]
    if wish.commands_qemu:
        roles.append("monitor")
    if built.kernel.instrumented and not wish.interactive:
        roles.append("coverage")
    return dict(zip(roles, arch.here().ports))


def _host_program(name: str) -> Path:
    found = shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin")
    if not found:
        raise LabError(f"the guest wants the program '{name}', which is not installed here")
    return Path(found)


def _make_disk(disk: Path, size: str) -> Path:
    with disk.open("wb") as file:
        file.truncate(qemu.size_in_bytes(size))
    subprocess.run(["/sbin/mkfs.ext4", "-q", "-E", "lazy_itable_init=1", disk], check=True)
    return disk
