# SPDX-License-Identifier: MIT
"""Boots one guest and carries its ports to the host until it ends or its time is up.

Does not know what a test is: it tells what came out of each port, verdict.py judges.
"""

import ctypes
import dataclasses
import os
import selectors
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable

PANIC_MARK = b"Kernel panic - not syncing"
# A guest that panicked, or that has told its verdict, should be gone soon.
LAST_SECONDS = 20
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


@dataclasses.dataclass(frozen=True)
class Run:
    """What a guest left behind."""

    console: bytes
    verdict: bytes
    qemu_status: int | None  # None: it was killed at its deadline
    qemu_errors: str
    seconds: float
    coverage: bytes = b""  # what an instrumented kernel counted, an archive


class Ports:
    """The pipes that QEMU's serial ports write to: console, verdict, stdout, stderr, and one for
    coverage if it is wanted."""

    def __init__(self, sinks: list[Callable[[bytes], None]]):
        self.sinks = sinks
        self.pairs = [os.pipe() for _ in sinks]

    def chardevs(self) -> list[str]:
        """QEMU chardev options; valid in a process that inherits the write ends."""
        return [f"file,path=/proc/self/fd/{writer}" for _, writer in self.pairs]

    def writers(self) -> list[int]:
        """The ends that QEMU inherits."""
        return [writer for _, writer in self.pairs]

    def close_writers(self):
        """Leaves QEMU as the only writer, so that its end is seen as end of file."""
        for _, writer in self.pairs:
            os.close(writer)

    def close_readers(self):
        """Gives the reading ends back."""
        for reader, _ in self.pairs:
            os.close(reader)


def die_with_parent():
    # A harness that is killed outright can't clean up; no guest may outlive it.
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def end_with_parent():
    """Ends this process, in an orderly way, when the one that started it is gone."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def write_all(file) -> Callable[[bytes], None]:
    """A sink that passes bytes on at once."""
    def sink(data: bytes):
        file.write(data)
        file.flush()
    return sink


def run(make_line: Callable[[list[str]], list[str]], timeout: float,
        on_stdout: Callable[[bytes], None], on_stderr: Callable[[bytes], None],
        on_console: Callable[[bytes], None], verdict_end: bytes, panics: int = 0,
        has_coverage: bool = False, patience: float = 1) -> Run:
    """Boots the guest that `make_line(chardevs)` describes and waits for its end.

    After so many `panics` the guest goes on; one more ends it. A slow kernel's last steps may
    take `patience` times as long.
    """
    console = bytearray()
    verdict = bytearray()
    coverage = bytearray()

    def keep_console(data: bytes):
        console.extend(data)
        on_console(data)

    ports = Ports([keep_console, verdict.extend, on_stdout, on_stderr,
                   *([coverage.extend] if has_coverage else [])])
    began = time.monotonic()
    deadline = began + timeout
    with subprocess.Popen(make_line(ports.chardevs()), stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                          pass_fds=ports.writers(), preexec_fn=die_with_parent) as process:
        try:
            ports.close_writers()
            errors = bytearray()
            killed = not _pump(process, ports, errors.extend, deadline, LAST_SECONDS * patience,
                               lambda: console.count(PANIC_MARK) > panics
                               or verdict_end in verdict)
            if killed:
                process.kill()
            status = process.wait()
        finally:
            # Also on SIGINT and SIGTERM, which arrive here as exceptions.
            if process.poll() is None:
                process.kill()
            ports.close_readers()
    return Run(bytes(console), bytes(verdict), None if killed else status,
               errors.decode(errors="replace").strip(), time.monotonic() - began,
               bytes(coverage))


def _pump(process: subprocess.Popen, ports: Ports, on_error: Callable[[bytes], None],
          deadline: float, last_seconds: float, ending: Callable[[], bool]) -> bool:
    """Copies until every port is closed; False: the deadline came first.

    When the end is near it comes closer: so many seconds from then.
    """
    sinks = {reader: sink for (reader, _), sink in zip(ports.pairs, ports.sinks)}
    sinks[process.stderr.fileno()] = on_error
    last_call = False
    with selectors.DefaultSelector() as selector:
        for reader in sinks:
            selector.register(reader, selectors.EVENT_READ)
        while selector.get_map():
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            for key, _ in selector.select(left):
                data = os.read(key.fd, 65536)
                if data:
                    sinks[key.fd](data)
                else:
                    selector.unregister(key.fd)
            if not last_call and ending():
                last_call = True
                deadline = min(deadline, time.monotonic() + last_seconds)
    return True


def run_interactive(line: list[str]) -> int:
    """Boots a guest whose line uses this terminal; its status is QEMU's."""
    terminal = sys.stdin.fileno()
    settings = termios.tcgetattr(terminal) if os.isatty(terminal) else None
    with subprocess.Popen(line, preexec_fn=die_with_parent) as process:
        try:
            return process.wait()
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            # QEMU leaves the terminal raw if it is killed.
            if settings:
                termios.tcsetattr(terminal, termios.TCSADRAIN, settings)


def end_on_signals():
    """Turns SIGTERM and SIGHUP into an exception, as SIGINT is, so that every finally runs."""
    def stop(number, _frame):
        sys.exit(128 + number)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
