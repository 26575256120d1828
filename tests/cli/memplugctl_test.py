# SPDX-License-Identifier: MIT
"""Runs the built memplugctl as a script would. Needs no module and must never load one.

MEMPLUGCTL names the binary, MEMPLUG_VERSION what it has to call itself.
"""

import json
import os
import subprocess
import sys
import unittest

TOOL = os.environ["MEMPLUGCTL"]
VERSION = os.environ["MEMPLUG_VERSION"]
VERBS = ("status", "list", "unplug", "plug", "hold", "test", "quarantine", "target", "scan",
         "explain", "map", "watch", "metrics", "doctor", "version")
# A device that is not there, and one that is something else.
MISSING = ("--device", "/nonexistent/memplug")
WRONG = ("--device", "/dev/null")
EXIT_FAILURE = 1
EXIT_USAGE = 2


def run(*arguments, **streams):
    streams.setdefault("stdout", subprocess.PIPE)
    streams.setdefault("stderr", subprocess.PIPE)
    return subprocess.run([TOOL, *arguments], stdin=subprocess.DEVNULL, timeout=30,
                          check=False, **streams)


class Help(unittest.TestCase):
    def test_help_names_every_verb_on_stdout(self):
        for option in ("--help", "-h"):
            result = run(option)
            self.assertEqual(result.returncode, 0)
            self.assertEqual(result.stderr, b"")
            for verb in VERBS:
                self.assertIn(verb.encode(), result.stdout)

    def test_help_names_every_global_option(self):
        text = run("--help").stdout.decode()
        for option in ("-J", "--json", "-b", "--bytes", "-q", "--quiet", "-v", "--verbose",
                       "--device", "--version", "-h", "--help"):
            self.assertIn(option, text)

    def test_each_verb_has_help(self):
        for verb in VERBS:
            result = run(verb, "--help")
            self.assertEqual((result.returncode, result.stderr), (0, b""), verb)
            self.assertIn(f"memplugctl {verb}".encode(), result.stdout)

    def test_usage_shows_what_is_needed_and_what_is_not(self):
        for verb, usage in ((("unplug",), "unplug [OPTIONS] SIZE|RANGE"),
                            (("plug",), "plug [OPTIONS] SIZE|RANGE|--all"),
                            (("hold",), "hold [OPTIONS] SIZE|RANGE -- CMD ..."),
                            (("target",), "target [OPTIONS] [SIZE|none]"),
                            (("explain",), "explain [OPTIONS] RANGE|ADDRESS|pfn:N"),
                            (("quarantine",), "quarantine [OPTIONS] SUBCOMMAND"),
                            (("quarantine", "add"), "quarantine add [OPTIONS] RANGE"),
                            (("quarantine", "apply"), "quarantine apply [OPTIONS] [FILE]")):
            text = run(*verb, "--help").stdout.decode()
            self.assertIn(f"Usage: memplugctl {usage}\n", text)

    def test_unplug_help_names_every_option(self):
        text = run("unplug", "--help").stdout.decode()
        for option in ("--node", "--within", "--contiguous", "--align", "--exact", "--timeout",
                       "--dry-run", "--reclaim-slab", "--keep-watermarks", "--force"):
            self.assertIn(option, text)

    def test_plug_help_names_every_option(self):
        text = run("plug", "--help").stdout.decode()
        for option in ("--all", "--node", "--dry-run", "--keep-watermarks"):
            self.assertIn(option, text)

    def test_target_help_names_every_option(self):
        text = run("target", "--help").stdout.decode()
        for option in ("none", "--wait", "--timeout", "--keep-watermarks", "--force"):
            self.assertIn(option, text)

    def test_version(self):
        result = run("--version")
        self.assertEqual(result.returncode, 0)
        self.assertEqual(result.stdout.decode(), f"memplugctl {VERSION}\n")
        self.assertEqual(result.stderr, b"")


class Usage(unittest.TestCase):
    WRONG_LINES = (
        (),
        ("frobnicate",),
        ("--bogus",),
        ("status", "extra"),
        ("list", "--bogus"),
        ("status", "list"),
        ("unplug",),
        ("unplug", ""),
        ("unplug", "-1"),
        ("unplug", "+64M"),
        ("unplug", "010"),
        ("unplug", "64X"),
        ("unplug", "1.5"),
        ("unplug", "18446744073709551616"),
        ("unplug", "0x140000000"),
        ("unplug", "0x20-0x10"),
        ("unplug", "64M", "64M"),
        ("unplug", "64M", "list"),
        ("unplug", "64M", "--node"),
        ("unplug", "64M", "--node", ""),
        ("unplug", "64M", "--node", "-1"),
        ("unplug", "64M", "--node", "0", "--node", "1"),
        ("unplug", "64M", "--within", "64M"),
        ("unplug", "64M", "--align", "1G"),
        ("unplug", "64M", "--contiguous", "--align", "0"),
        ("unplug", "64M", "--timeout", "5"),
        ("unplug", "64M", "--timeout", "0s"),
        ("unplug", "64M", "--all"),
        ("unplug", "0x140000000+64M", "--node", "0"),
        ("unplug", "0x140000000+64M", "--within", "0x140000000+64M"),
        ("unplug", "0x140000000+64M", "--contiguous"),
        ("plug",),
        ("plug", "64M", "--all"),
        ("plug", "0x140000000+64M", "--node", "0"),
        ("plug", "64M", "--exact"),
        ("target", ""),
        ("target", "None"),
        ("target", "0x140000000+64M"),
        ("target", "64M", "--all"),
        ("target", "64M", "--timeout", "5s"),
        ("target", "64M", "--wait", "--timeout", "0s"),
        ("target", "none", "--wait"),
    )

    def test_wrong_lines_exit_2_with_prose_on_stderr_only(self):
        for line in self.WRONG_LINES:
            with self.subTest(line=line):
                result = run(*line, *MISSING)
                self.assertEqual(result.returncode, EXIT_USAGE)
                self.assertEqual(result.stdout, b"")
                self.assertTrue(result.stderr.startswith(b"memplugctl: "), result.stderr)
                self.assertIn(b"--help", result.stderr)

    def test_with_json_stdout_is_one_error_object(self):
        for line in self.WRONG_LINES:
            for spelling in ("--json", "-J", "-qJ"):
                with self.subTest(line=line, spelling=spelling):
                    # First, where no option can take it for its value.
                    result = run(spelling, *line)
                    self.assertEqual(result.returncode, EXIT_USAGE)
                    report = json.loads(result.stdout)
                    self.assertEqual(list(report), ["schema_version", "error"])
                    self.assertEqual(report["schema_version"], 1)
                    self.assertEqual(list(report["error"]), ["errno", "message"])
                    self.assertIsNone(report["error"]["errno"])
                    self.assertIn(report["error"]["message"].encode(), result.stderr)

    def test_json_of_another_command_is_not_meant(self):
        result = run("hold", "5x", "--", "lsmem", "--json")
        self.assertEqual((result.returncode, result.stdout), (125, b""))

    def test_help_tells_the_exit_status(self):
        for verb in VERBS:
            text = run(verb, "--help").stdout.decode()
            self.assertIn("Exit status:", text)
            changes = verb in ("unplug", "plug", "test", "quarantine", "target")
            self.assertEqual("64" in text.partition("Exit status:")[2], changes, verb)

    def test_message_names_option_and_value(self):
        message = run("unplug", "64M", "--timeout", "soon").stderr.decode()
        self.assertIn("memplugctl: unplug: ", message)
        self.assertIn("--timeout", message)
        self.assertIn("'soon'", message)

    def test_bytes_that_are_not_utf8_do_not_break_json(self):
        result = run("unplug", b"\xff\xfe", "--json")
        self.assertEqual(result.returncode, EXIT_USAGE)
        self.assertIn("\ufffd", json.loads(result.stdout)["error"]["message"])


class Device(unittest.TestCase):
    LINES = (("status",), ("list",), ("unplug", "64M"), ("plug", "--all"),
             ("target", "64M"), ("target", "none"), ("target", "64M", "--wait"))

    def test_missing_device_says_to_load_the_module(self):
        for line in self.LINES:
            with self.subTest(line=line):
                result = run(*line, *MISSING)
                self.assertEqual((result.returncode, result.stdout), (EXIT_FAILURE, b""))
                self.assertIn(f"memplugctl: {line[0]}: ".encode(), result.stderr)
                self.assertIn(b"/nonexistent/memplug", result.stderr)
                self.assertIn(b"is the module loaded?", result.stderr)

    def test_missing_device_in_json(self):
        for line in self.LINES:
            with self.subTest(line=line):
                result = run(*line, *MISSING, "--json")
                self.assertEqual(result.returncode, EXIT_FAILURE)
                self.assertEqual(json.loads(result.stdout)["error"]["errno"], "ENOENT")

    def test_other_device_is_told_apart(self):
        for line in self.LINES:
            with self.subTest(line=line):
                result = run(*line, *WRONG, "--json")
                self.assertEqual(result.returncode, EXIT_FAILURE)
                self.assertEqual(json.loads(result.stdout)["error"]["errno"], "ENOTTY")
                self.assertIn(b"is not memplug's device", result.stderr)

    def test_global_options_go_before_and_after_the_verb(self):
        self.assertEqual(run(*WRONG, "-J", "status").stdout, run("status", "-J", *WRONG).stdout)

    @unittest.skipIf(os.geteuid() == 0, "root may open everything")
    def test_no_permission_says_to_be_root(self):
        result = run("status", "--device", "/dev/mem")
        self.assertEqual(result.returncode, EXIT_FAILURE)
        self.assertIn(b"root", result.stderr)


class Stdout(unittest.TestCase):
    def test_closed_pipe_is_an_error(self):
        reader, writer = os.pipe()
        os.close(reader)
        with os.fdopen(writer, "wb") as pipe:
            result = run("--help", stdout=pipe)
        self.assertEqual(result.returncode, EXIT_FAILURE)
        self.assertIn(b"cannot write to stdout: Broken pipe", result.stderr)

    def test_full_device_is_an_error(self):
        with open("/dev/full", "wb") as full:
            result = run("--version", stdout=full)
        self.assertEqual(result.returncode, EXIT_FAILURE)
        self.assertIn(b"No space left on device", result.stderr)

    def test_closed_descriptor_is_an_error(self):
        result = subprocess.run(["/bin/sh", "-c", 'exec "$0" --version >&-', TOOL],
                                stderr=subprocess.PIPE, timeout=30, check=False)
        self.assertEqual(result.returncode, EXIT_FAILURE)
        self.assertIn(b"Bad file descriptor", result.stderr)

    def test_closed_stderr_changes_no_exit_status(self):
        result = subprocess.run(["/bin/sh", "-c", 'exec "$0" status --device /nonexistent 2>&-',
                                 TOOL], stdout=subprocess.PIPE, timeout=30, check=False)
        self.assertEqual((result.returncode, result.stdout), (EXIT_FAILURE, b""))


if __name__ == "__main__":
    unittest.main(argv=sys.argv)
