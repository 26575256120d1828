# SPDX-License-Identifier: MIT
"""A memory cell that is stuck: one byte of a guest's memory that is kept as it is from outside.

The guest says where, by its physical address, when nothing is there that it needs: a line
"@stuck ADDRESS" on its stdout.
"""

import mmap
import re
import subprocess
import sys
import time
from pathlib import Path

import arch
import guest

_ASKED = re.compile(rb"^@stuck (0x[0-9a-f]+)\r?\n", re.MULTILINE)
_VALUE = 0x5a
# Between what a test writes and its looking at it lie milliseconds.
_PERIOD = 0.0002


class StuckByte:
    """Watches what a guest prints, and does as it says to the file that is its memory."""

    def __init__(self, memory: Path):
        self._memory = memory
        self._printed = bytearray()
        self._process: subprocess.Popen | None = None

    def watch(self, data: bytes):
        """A piece of the guest's stdout."""
        self._printed.extend(data)
        asked = _ASKED.search(self._printed)
        if asked and not self._process:
            offset = arch.here().offset_of(int(asked.group(1), 16))
            # In a process of its own, so that nothing here delays it.
            self._process = subprocess.Popen(
                [sys.executable, "-B", __file__, str(self._memory), str(offset)],
                preexec_fn=guest.die_with_parent)

    def close(self):
        """Lets go of the byte."""
        if self._process:
            self._process.kill()
            self._process.wait()


def _hold(path: str, offset: int):
    with open(path, "r+b") as file, mmap.mmap(file.fileno(), 0) as memory:
        while True:
            memory[offset] = _VALUE
            time.sleep(_PERIOD)


if __name__ == "__main__":
    _hold(sys.argv[1], int(sys.argv[2]))
