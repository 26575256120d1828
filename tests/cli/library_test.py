# SPDX-License-Identifier: MIT
"""The installed library: another project finds it, builds with it, and it works.

MEMPLUG_BUILD names the build, MEMPLUG_EXAMPLE the project, MEMPLUG_CXX the compiler, and
MEMPLUG_CXX_FLAGS what the build's objects need to be linked.
"""

import os
import subprocess
import tempfile
import unittest
from pathlib import Path

BUILD = os.environ["MEMPLUG_BUILD"]


def run(*command: str | Path, status: int = 0) -> str:
    """stdout and stderr; the test ends if the exit status is another one."""
    result = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True, timeout=120, check=False)
    assert result.returncode == status, f"{command} ended with {result.returncode}:\n" \
                                        f"{result.stdout}"
    return result.stdout


class Library(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.root = Path(cls.folder.name)
        run("cmake", "--install", BUILD, "--prefix", cls.root / "installed", "--component", "dev")
        cls.example = cls.root / "example"
        cls.configure(os.environ["MEMPLUG_EXAMPLE"], cls.example)
        run("cmake", "--build", cls.example)

    @classmethod
    def configure(cls, source: str | Path, build: Path, status: int = 0) -> str:
        return run("cmake", "-S", source, "-B", build, f"-DCMAKE_PREFIX_PATH={cls.root}/installed",
                   f"-DCMAKE_CXX_COMPILER={os.environ['MEMPLUG_CXX']}",
                   f"-DCMAKE_CXX_FLAGS={os.environ['MEMPLUG_CXX_FLAGS']}", status=status)

    def test_the_example_works(self):
        self.assertEqual(run(self.example / "take", status=2), "usage: take SIZE\n")
        self.assertRegex(run(self.example / "take", "64Q", status=1), "^take: .*64Q.*\n$")

    def test_what_is_installed_is_not_tied_to_the_checkout(self):
        installed = [path for path in (self.root / "installed").rglob("*") if path.is_file()]
        names = {path.name for path in installed}
        self.assertLessEqual({"libmemplug.a", "memplug-config.cmake", "memplug.pc", "device.hpp",
                              "version.hpp", "mapping.hpp", "memplug.h"},
                             names)
        # The header of the ABI is not a part of the library's.
        for path in installed:
            if path.suffix in (".cmake", ".hpp"):
                text = path.read_text(encoding="utf-8")
                self.assertNotIn(str(Path(BUILD).parent.parent), text, path)
                self.assertNotIn('"memplug.h"', text, path)

    def test_another_version_is_not_taken(self):
        project = self.root / "project"
        project.mkdir()
        (project / "CMakeLists.txt").write_text(
            "cmake_minimum_required(VERSION 3.25)\nproject(p LANGUAGES CXX)\n"
            "find_package(memplug 99 REQUIRED)\n", encoding="ascii")
        self.assertIn("memplug", self.configure(project, self.root / "refused", status=1))


if __name__ == "__main__":
    unittest.main()
