# SPDX-License-Identifier: MIT
"""Runs the built memplugctl with a device that a preloaded library stands in for: stand_in.cpp.

MEMPLUGCTL names the binary, MEMPLUG_STAND_IN_LIBRARY the library.
"""

import fcntl
import json
import os
import pty
import select
import shutil
import struct
import subprocess
import tempfile
import termios
import time
import unittest

TOOL = os.environ["MEMPLUGCTL"]
LIBRARY = os.environ["MEMPLUG_STAND_IN_LIBRARY"]
MIB = 1 << 20
GIB = 1 << 30
# A mutual wait that is longer than any slow machine takes.
PATIENCE = 60


def environment(order, variables=None):
    """Our own, with the stand-in, and without what would change how memplugctl behaves."""
    result = {name: value for name, value in os.environ.items()
              if not name.startswith("MEMPLUG_") and name not in ("COLUMNS", "NO_COLOR")}
    result["LD_PRELOAD"] = LIBRARY
    # The sanitizers' library does not come first any more, which is no harm: it comes next.
    result["ASAN_OPTIONS"] = "verify_asan_link_order=0:detect_leaks=0"
    result["MEMPLUG_STAND_IN"] = json.dumps(order)
    result.update(variables or {})
    return result


def run(*arguments, order=None, variables=None, **options):
    options.setdefault("stdout", subprocess.PIPE)
    options.setdefault("stderr", subprocess.PIPE)
    options.setdefault("stdin", subprocess.DEVNULL)
    return subprocess.run([TOOL, *arguments], env=environment(order or {}, variables),
                          timeout=PATIENCE, check=False, **options)


def start(*arguments, order=None, variables=None, **options):
    options.setdefault("stdout", subprocess.PIPE)
    options.setdefault("stderr", subprocess.PIPE)
    options.setdefault("stdin", subprocess.DEVNULL)
    return subprocess.Popen([TOOL, *arguments], env=environment(order or {}, variables), **options)


def wait_until(condition, what):
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"in vain: {what}")
        time.sleep(0.005)


def catches(process, number):
    """Whether it has a handler for this signal, as it has not before it is at work."""
    with open(f"/proc/{process.pid}/status", encoding="ascii") as file:
        caught = next(line for line in file if line.startswith("SigCgt:"))
    return int(caught.split()[1], 16) & 1 << (number - 1) != 0


def run_on_terminal(*arguments, columns=80, order=None, variables=None, stdout=None):
    """stderr, and stdout if it is not told otherwise, are a terminal of so many columns.

    Returns the exit status and all that was written to the terminal.
    """
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = start(*arguments, order=order, variables=variables,
                    stdout=theirs if stdout is None else stdout, stderr=theirs)
    os.close(theirs)
    shown = b""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if ours in select.select([ours], [], [], 1)[0]:
            try:
                part = os.read(ours, 65536)
            except OSError:
                break
            if not part:
                break
            shown += part
    os.close(ours)
    return process.wait(timeout=PATIENCE), shown.decode()


class Case(unittest.TestCase):
    """Each test has a folder of its own."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="memplug-cli-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path(name)

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as file:
            return file.read()

    def log_of(self, order):
        """Adds a log to the order; returns a function that reads its lines."""
        order["log"] = self.path("log")

        def lines():
            if not os.path.exists(order["log"]):
                return []
            with open(order["log"], encoding="utf-8") as file:
                return file.read().splitlines()
        return lines
