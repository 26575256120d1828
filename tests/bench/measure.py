# SPDX-License-Identifier: MIT
"""Runs one driver's guest and collects what it measured. Judges no figure."""

import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import artefacts
import guest
import klog
import paths
import qmp
import session
import verdict
from outcome import Kind, LabError, Outcome, say
from scenario import REFERENCES, STATES, Driver

LOGS = paths.BUILD / "bench" / "logs"
# Boot, and each state with its making and cleaning up; emulation is slow.
BOOT_SECONDS = 240
STATE_SECONDS = 400


class Listener:
    """Reads the guest's lines: does what they ask of the host, keeps what they tell."""

    def __init__(self, driver: Driver, monitor: qmp.Monitor):
        self._driver = driver
        self._monitor = monitor
        self._rest = b""
        self._state = ""
        self.results: dict[str, dict] = {}
        self.other: list[str] = []

    def feed(self, data: bytes):
        """More of the guest's stdout."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._line(line.decode(errors="replace").rstrip("\r"))

    def _line(self, line: str):
        kind, _, rest = line.partition(" ")
        if kind == "@host":
            command, arguments = self._driver.host_command(int(rest.removeprefix("take ")))
            try:
                self._monitor.execute(command, **arguments)
            except LabError as error:
                self.results[self._state] = {"failed": str(error)}
        elif kind == "@state":
            self._state = rest
        elif kind == "@result":
            self.results.setdefault(self._state, json.loads(rest))
        elif kind == "@failed":
            self.results.setdefault(self._state, {"failed": rest})
        else:
            self.other.append(line)


# What was heard of a guest: a Listener.
Heard = TypeVar("Heard", bound=Listener)


def run_guest(driver: Driver, states: list[str], init: int, number: int, cpus: int,
              quiet: float, built: artefacts.Built) -> list[dict]:
    """One record a reference and a state; a failed one tells why."""
    words = []
    for name in states:
        state = STATES[name]
        words += [name, str(state.requested), f"{driver.module_args} {state.module_args}".strip()]
    timeout = BOOT_SECONDS + STATE_SECONDS * len(states)

    def wish(socket: Path) -> session.Wish:
        return session.Wish(
            command=["sh", "/lab/guest.sh", driver.kind, str(quiet), *words],
            machine=driver.machine(cpus, init, socket),
            expected=verdict.Expectation(timeout, added_mib=driver.added_mib),
            load=False, kernel_modules=driver.kernel_modules, lab_files=lab_files(driver, built))

    listener, run, outcome, errors = listen_to(
        wish, lambda monitor: Listener(driver, monitor), built,
        f"{driver.name}-init{init}-round{number}")
    note = "" if outcome.kind == Kind.PASS else outcome.message
    if note:
        told = errors.decode(errors="replace").strip().splitlines()
        note = "; ".join([note, *told[-1:]])
        say(f"{driver.name}, init_on_alloc={init}, round {number}: {note}")
    reports = klog.reports(run.console)
    records = []
    for name in [*REFERENCES, *states]:
        result = listener.results.get(name, {"failed": f"not measured: {note or 'no answer'}"})
        records.append({"driver": driver.name, "state": name, "init": init, "round": number,
                        **result, "reports": len(reports), "guest_seconds": run.seconds})
    return records


def listen_to(wish: Callable[[Path], session.Wish], listener_of: Callable[[qmp.Monitor], Heard],
              built: artefacts.Built, name: str) -> tuple[Heard, guest.Run, Outcome, bytes]:
    """Runs the guest that is wished, with a socket for QEMU's monitor, and keeps its log.

    The listener hears what it prints and may have the monitor do something; also returns what came
    of the guest, and what it printed to stderr.
    """
    with tempfile.TemporaryDirectory(prefix="memplug-bench-") as scratch:
        socket = Path(scratch) / "qmp"
        monitor = qmp.Monitor(socket)
        listener = listener_of(monitor)
        errors = bytearray()
        try:
            run, outcome = session.run(wish(socket), built, session.Sinks(
                listener.feed, errors.extend, lambda _: None, lambda _: None))
        finally:
            monitor.close()
    _keep_log(name, run, listener.other, errors)
    return listener, run, outcome, bytes(errors)


def _keep_log(name: str, run: guest.Run, other: list[str], errors: bytes):
    """The guest's console, and what it printed that was for nobody."""
    LOGS.mkdir(parents=True, exist_ok=True)
    (LOGS / f"{name}.console").write_bytes(
        run.console + b"\n--- stdout\n" + "\n".join(other).encode() + b"\n--- stderr\n" + errors)


def save(path: Path, results: dict | list):
    """What is there so far; a benchmark of hours may be ended early."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_suffix(".new")
    scratch.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    os.replace(scratch, path)


def lab_files(driver: Driver, built: artefacts.Built) -> dict[str, Path]:
    """What guest.sh wants at /lab."""
    files = {"lib.sh": paths.LAB / "lib.sh", "guest.sh": Path(__file__).parent / "guest.sh"}
    if driver.kind == "virtio-mem":
        files["virtio_mem.ko"] = built.kernel.module("virtio_mem")
    return files
