# SPDX-License-Identifier: MIT
"""What needs no device is judged before there is one: a wrong line is a wrong line everywhere."""

import json
import os
import sys
import unittest

from stand_in import Case, run

MISSING = ("--device", "/nonexistent/memplug")
WRONG_LINES = (
    ("unplug", "64X"), ("unplug", "64M", "--node", "x"), ("unplug", "64M", "--within", "foo"),
    ("unplug", "64M", "--contiguous", "--align", "x"), ("unplug", "64M", "--timeout", "x"),
    ("plug", "64X"), ("plug", "--all", "--node", "x"),
    ("hold", "64X", "--", "true"), ("hold", "64M"),
    ("test", "foo"), ("test", "--all", "--tests", "99"), ("test", "--all", "--loops", "0"),
    ("test", "--all", "--chunk", "x"), ("test", "--all", "--resume", ""),
    ("quarantine", "add", "foo"), ("quarantine", "add", "0x1000+4K", "--timeout", "x"),
    ("quarantine", "remove"), ("quarantine", "apply", "--timeout", "x"),
    ("quarantine", "export", "--format", "x"), ("quarantine",),
    ("quarantine", "follow", "--margin", "100"), ("quarantine", "follow", "--threshold", "0"),
    ("target", "64X"), ("target", "64M", "--timeout", "1s"),
    ("scan", "--within", "foo"), ("scan", "--align", "x"), ("scan", "--align", "0"),
    ("explain", "foo"), ("explain",),
    ("map", "--within", "foo"), ("map", "--svg", ""),
    ("list", "--state", "x"), ("list", "-o", "x"), ("target", "--by", "1G"),
    ("target", "--total", "x"), ("watch", "--event", "x"), ("watch", "--count", "x"),
    ("watch", "--timeout", "x"),
    ("metrics", "--json"), ("doctor", "--module", ""),
)


class Usage(Case):
    def test_wrong_options_are_told_without_a_device(self):
        for line in WRONG_LINES:
            with self.subTest(line=line):
                status = 125 if line[0] == "hold" else 2
                self.assertEqual(run(*MISSING, *line).returncode, status)

    def test_an_unknown_verb_is_told_with_the_one_that_may_be_meant(self):
        for words, told in ((("unplg", "1G"), b"unknown verb 'unplg'; did you mean 'unplug'?"),
                            (("--device", "plg", "statsu"), b"did you mean 'status'?"),
                            (("remove", "1G"), b"unknown verb 'remove'; there are status, list,"),
                            (("help", "unplg"), b"did you mean 'unplug'?")):
            with self.subTest(words=words):
                result = run(*words)
                self.assertEqual(result.returncode, 2, result.stderr)
                self.assertIn(told, result.stderr)

    def test_what_stands_before_the_verb_is_told_as_before(self):
        result = run("--timeout", "30s", "unplug", "1G")
        self.assertEqual(result.returncode, 2)
        self.assertNotIn(b"unknown verb", result.stderr)
        self.assertEqual(run("--node", "0", "hold", "64M", "--", "true").returncode, 125)
        self.assertEqual(run("--version", "foo").returncode, 0)

    def test_help_is_a_verb_too(self):
        for words, same in ((("help",), ("--help",)), (("help", "unplug"), ("unplug", "--help")),
                            (("help", "help"), ("--help",)), (("-v", "help", "map"), ("map", "-h")),
                            (("help", "quarantine", "add"), ("quarantine", "add", "--help"))):
            with self.subTest(words=words):
                result = run(*words)
                self.assertEqual((result.returncode, result.stderr), (0, b""))
                self.assertEqual(result.stdout, run(*same).stdout)

    def test_files_that_can_not_be_understood_are_told_without_a_device(self):
        damaged = self.write("damaged", "0x15000\n")
        for line in (("quarantine", "add", "0x140000000+4K", "--file", damaged),
                     ("quarantine", "remove", "0x140000000+4K", "--file", damaged),
                     ("quarantine", "remove", "--all", "--file", damaged),
                     ("quarantine", "list", "--file", damaged),
                     ("quarantine", "apply", damaged),
                     ("quarantine", "export", "--file", damaged),
                     ("test", "--all", "--file", damaged),
                     ("test", "--all", "--resume", damaged, "--file", self.path("none"))):
            with self.subTest(line=line):
                result = run(*MISSING, *line, "--json")
                self.assertEqual(result.returncode, 2, result.stderr)
                self.assertIn(damaged, json.loads(result.stdout)["error"]["message"])
        self.assertEqual(os.listdir(self.folder), ["damaged"])


if __name__ == "__main__":
    unittest.main(argv=sys.argv)
