# SPDX-License-Identifier: MIT
"""Tests when tidy.py runs clang-tidy, with one in its place that counts its runs."""

import contextlib
import io
import json
import os
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import tidy

_FAKE = """#!/bin/sh
[ "$1" = --version ] && { cat "$FAKE_FOLDER/version"; exit; }
for file; do case $file in *.cpp) break ;; esac; done
echo "$file" >> "$FAKE_FOLDER/runs"
! grep -Hn BAD "$file"
"""


class Tidy(unittest.TestCase):
    """Two files, one of which includes a header."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="with a space ")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.write("fake/clang-tidy", _FAKE).chmod(0o755)
        self.write("version", "14\n")
        self.write("plain.cpp", "int plain = 1;\n")
        self.write("user.cpp", '#include "used.hpp"\n')
        self.write("used.hpp", "inline int used = 1;\n")
        environment = {"FAKE_FOLDER": str(self.folder),
                       "XDG_CACHE_HOME": str(self.folder / "cache"),
                       "PATH": f"{self.folder / 'fake'}:{os.environ['PATH']}"}
        self.enterContext(mock.patch.dict(os.environ, environment))

    def write(self, name: str, text: str) -> Path:
        """A file of the test's folder."""
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def tidy(self, *options: str, database: Path | None = None) -> tuple[int, list[str], str]:
        """The status, whom clang-tidy looked at, and what was printed."""
        # As in a new process.
        tidy.forget()
        runs = self.folder / "runs"
        runs.write_text("", encoding="utf-8")
        files = [self.folder / "plain.cpp", self.folder / "user.cpp"]
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            status = tidy.run(files, database, list(options) or ["-std=c++20"])
        looked_at = sorted(Path(line).name for line in runs.read_text("utf-8").splitlines())
        return status, looked_at, printed.getvalue()

    def test_what_was_clean_is_not_looked_at_again(self):
        self.assertEqual(self.tidy()[:2], (0, ["plain.cpp", "user.cpp"]))
        status, looked_at, printed = self.tidy()
        self.assertEqual((status, looked_at), (0, []))
        self.assertIn("2 files, 2 of them known to be clean, 0 with findings", printed)

    def test_a_header_counts_for_who_includes_it(self):
        self.tidy()
        self.write("used.hpp", "inline int used = 2;\n")
        self.assertEqual(self.tidy()[1], ["user.cpp"])

    def test_a_comment_counts(self):
        self.tidy()
        self.write("plain.cpp", "int plain = 1; // NOLINT\n")
        self.assertEqual(self.tidy()[1], ["plain.cpp"])

    def test_options_and_the_version_count(self):
        self.tidy()
        self.assertEqual(self.tidy("-std=c++20", "-DX")[1], ["plain.cpp", "user.cpp"])
        self.write("version", "15\n")
        self.assertEqual(self.tidy()[1], ["plain.cpp", "user.cpp"])

    def test_findings_come_again(self):
        self.write("plain.cpp", "int BAD = 1;\n")
        for looked_at in (["plain.cpp", "user.cpp"], ["plain.cpp"]):
            status, seen, printed = self.tidy()
            self.assertEqual((status, seen), (1, looked_at))
            self.assertIn("plain.cpp:1:int BAD", printed)

    def test_a_file_that_does_not_compile_is_left_to_clang_tidy(self):
        self.write("plain.cpp", '#include "missing.hpp"\nBAD\n')
        for _ in range(2):
            status, seen, _ = self.tidy()
            self.assertEqual((status, "plain.cpp" in seen), (1, True))

    def test_every_command_of_a_database_counts(self):
        def build(option: str) -> Path:
            entries = [{"directory": str(self.folder), "file": str(self.folder / name),
                        "command": f"c++ {words} -o x.o -c '{self.folder / name}'"}
                       for name, words in (("plain.cpp", ""), ("user.cpp", ""),
                                           ("user.cpp", option))]
            return self.write("compile_commands.json", json.dumps(entries)).parent

        self.tidy(database=build("-DONE"))
        self.assertEqual(self.tidy(database=build("-DONE"))[1], [])
        self.assertEqual(self.tidy(database=build("-DTWO"))[1], ["user.cpp"])


if __name__ == "__main__":
    unittest.main()
