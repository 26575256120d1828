# SPDX-License-Identifier: MIT
"""Which memplug.ko `memplugctl doctor` takes for fit, and that what it says to type is safe to.

MEMPLUGCTL names the binary. No module is loaded: insmod is a script that notes what it gets.
"""

import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

TOOL = os.environ["MEMPLUGCTL"]
SWITCH = Path("/proc/sys/kernel/modules_disabled")
# What looks like a signed module for the kernel that runs here.
FORGED = b"\x7fELF\0vermagic=" + os.uname().release.encode() + \
    b" SMP preempt mod_unload \0~Module signature appended~\n"
# A shell would make something else of each.
HOSTILE = ("a b.ko", "it's.ko", '"q".ko', "$(touch taken).ko", "`touch taken`.ko",
           "x;touch taken.ko", "x&touch taken.ko", "x|tee taken.ko", "x>taken", "#x.ko", "~.ko",
           "*.ko", "x\ntouch taken", "back\\slash.ko", "$HOME.ko", "tab\t.ko", "(x).ko", "-x.ko",
           "--force.ko", "!x.ko", "\u00e9.ko")


def module_check(folder: Path, *options: str) -> dict:
    """What doctor says of the module, with this as the current folder."""
    result = subprocess.run(
        [TOOL, "doctor", "--json", "--device", "/nonexistent/memplug", *options], cwd=folder,
        stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)
    checks = {check["name"]: check for check in json.loads(result.stdout)["checks"]}
    return checks["module"]


@unittest.skipIf(Path("/sys/module/memplug").exists(), "the module is loaded here")
class Module(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def put(self, name: str) -> None:
        file = self.folder / name
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(FORGED)

    def test_the_current_folder_is_not_searched(self):
        wanted = module_check(Path("/"))
        for name in ("memplug.ko", "kmod/memplug.ko"):
            self.put(name)
            with self.subTest(name):
                self.assertEqual(module_check(self.folder), wanted)
        self.assertNotIn("insmod", str(wanted))

    @unittest.skipIf(SWITCH.exists() and SWITCH.read_text(encoding="ascii").strip() == "1",
                     "nothing can be loaded here")
    def test_a_path_that_was_given_reaches_insmod_whole(self):
        tools = self.folder / "bin"
        tools.mkdir()
        for name, text in (("insmod", 'printf "%s\\0" "$@" >"$NOTES"'), ("sudo", 'exec "$@"')):
            (tools / name).write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
            (tools / name).chmod(0o755)
        notes = self.folder / "notes"
        work = self.folder / "work"
        for name in ("plain.ko", *HOSTILE):
            with self.subTest(name):
                self.put(f"work/{name}")
                command = module_check(work, f"--module={name}")["next"]
                notes.unlink(missing_ok=True)
                subprocess.run(["sh", "-c", command], cwd=work, timeout=60, check=True,
                               env={"PATH": f"{tools}:{os.environ['PATH']}", "HOME": "/home",
                                    "NOTES": str(notes)})
                words = notes.read_bytes().decode().split("\0")[:-1]
                self.assertEqual([os.path.normpath(word) for word in words], [name], command)
                # Nothing that insmod could take for an option.
                self.assertFalse(words[0].startswith("-"), command)
                self.assertFalse((work / "taken").exists(), command)
        self.assertEqual(module_check(work, "--module=plain.ko")["next"].split()[-2:],
                         ["insmod", "plain.ko"])


if __name__ == "__main__":
    unittest.main(argv=sys.argv)
