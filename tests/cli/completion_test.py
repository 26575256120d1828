# SPDX-License-Identifier: MIT
"""What bash completes of memplugctl's verbs and options.

MEMPLUGCTL names the binary, MEMPLUG_COMPLETIONS the folder of the completions.
"""

import os
import re
import subprocess
import sys
import unittest
from pathlib import Path

TOOL = Path(os.environ["MEMPLUGCTL"])
ENVIRONMENT = {**os.environ, "PATH": f"{TOOL.parent}:{os.environ['PATH']}"}
SCRIPT = '. "$MEMPLUG_COMPLETIONS/memplugctl.bash"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); ' \
         '_memplugctl; printf "%s\\n" "${COMPREPLY[@]}"'


def offered(*words: str) -> list[str]:
    """What is offered for the last of these words of a command line."""
    result = subprocess.run(["bash", "-c", SCRIPT, "bash", "memplugctl", *words], timeout=60,
                            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
                            env=ENVIRONMENT)
    assert result.stderr == "", result.stderr
    return result.stdout.split()


def help_of(*verb: str) -> str:
    return subprocess.run([TOOL, *verb, "--help"], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=60, check=True).stdout


def verbs_of(*verb: str) -> list[str]:
    return re.findall(r"^  ([a-z]+)  ", help_of(*verb).partition("Subcommands:")[2], re.MULTILINE)


class Completion(unittest.TestCase):
    def test_verbs(self):
        verbs = verbs_of()
        self.assertIn("unplug", verbs)
        self.assertEqual(offered(""), verbs)
        self.assertEqual(offered("--json", "unpl"), ["unplug"])
        self.assertEqual(offered("quarantine", ""), verbs_of("quarantine"))

    def test_options_of_each_verb_and_global_ones(self):
        common = re.findall(r"--[a-z]+", help_of().partition("Options:")[2].split("Subcommands")[0])
        for verb in [[verb] for verb in verbs_of()] \
                + [["quarantine", verb] for verb in verbs_of("quarantine")]:
            own = re.findall(r"^  (?:-\w,)?(--[a-z-]+)", help_of(*verb), re.MULTILINE)
            self.assertEqual(set(offered(*verb, "--")), set(own) | set(common), verb)

    def test_values(self):
        self.assertEqual(offered("quarantine", "export", "--format", "gr"), ["grub"])
        self.assertEqual(offered("target", ""), ["none"])
        self.assertEqual(offered("unplug", "64M", "--zone", ""), ["normal", "dma32"])
        folder = os.environ["MEMPLUG_COMPLETIONS"]
        self.assertEqual(offered("map", "--svg", f"{folder}/memplugctl.b"),
                         [f"{folder}/memplugctl.bash"])
        self.assertEqual(offered("quarantine", "apply", f"{folder}/memplugctl.f"),
                         [f"{folder}/memplugctl.fish"])

    def test_nothing_is_made_up(self):
        # There is no device here to tell of ranges and nodes.
        self.assertEqual(offered("--device", "/nonexistent", "plug", "--node", ""), [])
        self.assertEqual(offered("unplug", "6"), [])
        self.assertEqual(offered("hold", "64M", "--", "unpl"), [])


if __name__ == "__main__":
    unittest.main(argv=sys.argv)
