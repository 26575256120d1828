# SPDX-License-Identifier: MIT
"""Writes a newc cpio archive, device nodes included, without being root.

Knows the format only, not what belongs into an initramfs.
"""

import stat
from typing import BinaryIO


class NewcWriter:
    """Appends entries to an open file. A folder must be added before what is in it."""

    def __init__(self, out: BinaryIO):
        self._out = out
        self._next_inode = 1
        self._seen: set[str] = set()

    def _entry(self, name: str, mode: int, data: bytes = b"", rdev: tuple[int, int] = (0, 0)):
        if name in self._seen:
            raise ValueError(f"{name} is in the archive already")
        self._seen.add(name)
        encoded = name.encode() + b"\0"
        nlink = 2 if stat.S_ISDIR(mode) else 1
        fields = (self._next_inode, mode, 0, 0, nlink, 0, len(data), 0, 0, *rdev, len(encoded), 0)
        self._next_inode += 1
        header = b"070701" + b"".join(b"%08X" % field for field in fields)
        self._write_padded(header + encoded)
        self._write_padded(data)

    def _write_padded(self, data: bytes):
        self._out.write(data + b"\0" * (-len(data) % 4))

    def __contains__(self, name: str) -> bool:
        return name in self._seen

    def folder(self, name: str, mode: int = 0o755):
        """Adds a folder and those above it, unless they are there."""
        parts = name.split("/")
        for depth in range(1, len(parts) + 1):
            path = "/".join(parts[:depth])
            if path not in self._seen:
                self._entry(path, stat.S_IFDIR | (mode if depth == len(parts) else 0o755))

    def file(self, name: str, data: bytes, executable: bool = False):
        """Adds a regular file and the folders above it."""
        self._parent(name)
        self._entry(name, stat.S_IFREG | (0o755 if executable else 0o644), data)

    def symlink(self, name: str, target: str):
        """Adds a symbolic link and the folders above it."""
        self._parent(name)
        self._entry(name, stat.S_IFLNK | 0o777, target.encode())

    def char_device(self, name: str, major: int, minor: int):
        """Adds a character device node."""
        self._parent(name)
        self._entry(name, stat.S_IFCHR | 0o600, rdev=(major, minor))

    def _parent(self, name: str):
        if "/" in name:
            self.folder(name.rsplit("/", 1)[0])

    def finish(self):
        """Ends the archive; nothing may be added after it."""
        self._entry("TRAILER!!!", 0)
