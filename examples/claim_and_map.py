#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Takes 64 MiB of physically contiguous memory inside a window, maps it, and tells where it is.

The same as claim_and_map.cpp, with nothing but Python's standard library. The memory is tied to the
descriptor: it goes back when the program ends, however it ends.

    ./claim_and_map.py 0x100000000 0x100000000      # window: first byte, length
"""

import array
import fcntl
import mmap
import os
import struct
import sys

LENGTH = 64 << 20

# From kmod/uapi/memplug.h.
UNPLUG = 0xBD05
WINDOW, CONTIGUOUS, TIED = 1 << 3, 1 << 4, 1 << 7
REQUEST = struct.Struct("=II6Q iIQQII IIII 8QII")
RANGE = struct.Struct("=QQIiiI")
OUT_STOP, OUT_DONE = 17, 19


def main() -> int:
    """Returns the exit status."""
    if len(sys.argv) != 3:
        print("usage: claim_and_map.py WINDOW_START WINDOW_LENGTH", file=sys.stderr)
        return 2
    window_start, window_length = (int(word, 0) for word in sys.argv[1:])
    device = os.open("/dev/memplug", os.O_RDWR | os.O_CLOEXEC)

    # The kernel writes the range there: one contiguous run is one range.
    ranges = array.array("B", bytes(RANGE.size))
    request = bytearray(REQUEST.pack(
        REQUEST.size, WINDOW | CONTIGUOUS | TIED, LENGTH, 0, window_start, window_length,
        LENGTH, 0, 0, 1, ranges.buffer_info()[0], 0, 0, 0, *[0] * 14))
    fcntl.ioctl(device, UNPLUG, request)
    answer = REQUEST.unpack(request)
    # A request that ran succeeds however little it got: one run, or nothing.
    if answer[OUT_DONE] != LENGTH:
        print(f"there is no such run: stopped for reason {answer[OUT_STOP]}", file=sys.stderr)
        return 1
    start = RANGE.unpack(ranges)[0]

    with mmap.mmap(device, LENGTH, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE,
                   offset=start) as memory:
        memory[:12] = b"from Python\0"
        # The n-th byte of the mapping has the physical address start + n.
        print(f"{start:#x}: {memory[:11].decode()}", flush=True)
        # Here the hardware would do its work; until stdin is closed.
        sys.stdin.read()
    return 0


if __name__ == "__main__":
    sys.exit(main())
