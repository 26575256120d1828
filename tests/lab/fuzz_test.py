# SPDX-License-Identifier: MIT
"""Tests how inputs come home from a fuzzed guest: over its stdout, or from its disk."""

import base64
import io
import tarfile
import tempfile
import unittest
from pathlib import Path

import fuzz


def archive_of(files: dict[str, bytes]) -> bytes:
    """A tar file as the guest makes it."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as members:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            members.addfile(member, io.BytesIO(data))
    return packed.getvalue()


class Stdout(unittest.TestCase):
    """What is shown and what is kept."""

    def test_inputs_are_kept_and_the_rest_is_shown(self):
        archive = archive_of({"./new-01.txt": b"INFO\n"})
        stream = (b"before\n-----BEGIN NEW INPUTS-----\n" + base64.encodebytes(archive)
                  + b"-----END NEW INPUTS-----\nafter\n")
        for step in (1, 7, len(stream)):
            shown = bytearray()
            output = fuzz.Output(shown.extend)
            for start in range(0, len(stream), step):
                output.take(stream[start:start + step])
            self.assertEqual(bytes(shown), b"before\nafter\n")
            self.assertEqual(output.archive, archive)

    def test_an_archive_that_is_cut_off_is_none(self):
        output = fuzz.Output(lambda _: None)
        output.take(b"-----BEGIN NEW INPUTS-----\nAAAA\n")
        self.assertEqual(output.archive, b"")
        with tempfile.TemporaryDirectory() as scratch:
            self.assertEqual(fuzz.unpack(output.archive, Path(scratch)), [])


class Files(unittest.TestCase):
    """What is written, and where."""

    def test_only_inputs_and_only_in_the_folder(self):
        archive = archive_of({"./new-02.txt": b"LIST\n", "../../new-01.txt": b"INFO\n",
                              "./run.sh": b"no\n"})
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch) / "inner"
            folder.mkdir()
            self.assertEqual([path.name for path in fuzz.unpack(archive, folder)],
                             ["new-01.txt", "new-02.txt"])
            self.assertEqual(sorted(Path(scratch).rglob("*.txt")),
                             [folder / "new-01.txt", folder / "new-02.txt"])

    def test_the_journal_is_found_wherever_it_lies_on_the_disk(self):
        record = b"# memplug fuzz journal, process %d, sequence 9\nPLUG flags=ALL\n"
        with tempfile.TemporaryDirectory() as scratch:
            disk = Path(scratch) / "disk"
            disk.write_bytes(b"\0" * 1024 + (record % 1).ljust(4096, b"\0")
                             + (record % 0).ljust(4096, b"\0") + b"\xff" * 512)
            found = fuzz.read_journal(disk, Path(scratch))
            self.assertEqual([path.name for path in found], ["last-00.txt", "last-01.txt"])
            self.assertEqual(found[1].read_bytes(),
                             b"# SPDX-License-Identifier: MIT\n" + record % 1)

    def test_a_disk_without_a_journal(self):
        with tempfile.TemporaryDirectory() as scratch:
            disk = Path(scratch) / "disk"
            disk.write_bytes(b"\0" * 8192)
            self.assertEqual(fuzz.read_journal(disk, Path(scratch)), [])


if __name__ == "__main__":
    unittest.main()
