# SPDX-License-Identifier: MIT
"""The commands of README.md and docs/guide.md: each block says by what it is run; those that start
guests are run here.

The others are run by lab.readme, inside a guest, and by ./run test-packages, in a new Debian.
"""

import contextlib
import os
import pty
import re
import select
import signal
import subprocess
import time
import unittest

import paths

README = (paths.ROOT / "README.md").read_text(encoding="utf-8")
GUIDE = (paths.ROOT / "docs/guide.md").read_text(encoding="utf-8")
_SECONDS = 240
_PROMPT = b"/ # "
_BLOCK = re.compile(r"^(?:<!-- run by: ([^\n]*) -->\n)?```(\w*)\n(.*?)^```$",
                    re.MULTILINE | re.DOTALL)


def blocks(runner: str) -> list[str]:
    """The lines of all blocks that are run by it."""
    return [line for mark, _, text in _BLOCK.findall(README) if mark == runner
            for line in text.splitlines()]


def run(command: str, typed: str = "exit\n") -> str:
    """What it shows on a terminal; the test ends if it fails. What is typed waits for a prompt.

    The kernel is the one that a user gets, and so is how the module is loaded.
    """
    environment = {name: value for name, value in os.environ.items()
                   if name not in ("MEMPLUG_KERNEL", "MEMPLUG_MODULE_ARGS")}
    master, terminal = pty.openpty()
    shown = bytearray()
    with subprocess.Popen(["bash", "-c", command], cwd=paths.ROOT, env=environment, stdin=terminal,
                          stdout=terminal, stderr=terminal, start_new_session=True) as process:
        os.close(terminal)
        try:
            deadline = time.monotonic() + _SECONDS
            # The terminal gives an error when nobody has it open any more.
            with contextlib.suppress(OSError):
                while select.select([master], [], [], max(0, deadline - time.monotonic()))[0]:
                    shown += os.read(master, 65536)
                    if typed and _PROMPT in shown:
                        os.write(master, typed.encode())
                        typed = ""
        finally:
            if time.monotonic() >= deadline:
                os.killpg(process.pid, signal.SIGTERM)
            os.close(master)
    text = shown.decode(errors="replace").replace("\r\n", "\n")
    assert process.returncode == 0, f"{command} ended with {process.returncode}:\n{text}"
    return text


class Readme(unittest.TestCase):
    def test_each_block_of_commands_says_by_what_it_is_run(self):
        found = _BLOCK.findall(README) + _BLOCK.findall(GUIDE)
        self.assertGreater(len(found), 20)
        for mark, language, text in found:
            if language:
                self.assertIn(mark, {"CI", "./run demo", "lab.readme", "lab.readme-here",
                                     "test-packages"}, text)
            else:
                # What a command prints; or it would not be run.
                self.assertIsNone(re.search(r"memplugctl|\./run|^# ", text, re.MULTILINE), text)

    def test_what_ci_runs(self):
        ci = (paths.ROOT / ".ci" / "run").read_text(encoding="utf-8")
        commands = [line.split("#")[0].strip() for line in blocks("CI")]
        self.assertEqual(commands, ["./run demo", "./run test"])
        self.assertIn("./run test", ci)

    def test_the_demo_shows_what_the_page_shows(self):
        shown = set(run("./run demo").splitlines())
        commands = [line for line in blocks("./run demo") if line.startswith("# ")]
        self.assertGreater(len(commands), 5)
        for command in commands:
            self.assertIn(command, shown)

    def test_guests_of_ones_own(self):
        commands = blocks("lab.readme-here")
        self.assertEqual(len(commands), 3)
        for command in commands:
            with self.subTest(command):
                self.assertNotEqual(run(command), "")


if __name__ == "__main__":
    unittest.main()
