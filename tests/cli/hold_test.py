# SPDX-License-Identifier: MIT
"""memplugctl hold: its command gets what was typed, all that is held, and runs only if it is to."""

import json
import os
import signal
import subprocess
import sys
import time
import unittest

import stand_in
from stand_in import GIB, MIB, Case, run, start, wait_until

# Prints its arguments in a form in which none can be taken for another.
SHOW_WORDS = (sys.executable, "-c", "import os, sys; print([os.fsencode(a) for a in sys.argv[1:]])")
HOSTILE_WORDS = (b"[a,b]", b"[]", b"[", b"]", b"[[x]]", b"", b" ", b"-n", b"--json", b"--help",
                 b"-h", b"--device", b"--", b"---", b"a\nb", b"\n", b"\xff\xfe", b"{a,b}", b"@file",
                 b"%%", b"a=b", b"--x=[1,2]", b"'", b'"', b"\\", b"64M", b"++", b"#")


class Words(Case):
    def test_what_stands_behind_the_dashes_reaches_the_command_byte_for_byte(self):
        result = run("hold", "64M", "--", *SHOW_WORDS, *HOSTILE_WORDS)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(result.stdout.decode(), repr(list(HOSTILE_WORDS)) + "\n")

    def test_each_hostile_word_alone(self):
        for word in HOSTILE_WORDS:
            with self.subTest(word=word):
                result = run("hold", "64M", "--", *SHOW_WORDS, word)
                self.assertEqual(result.stdout.decode(), repr([word]) + "\n", result.stderr)

    def test_the_command_itself_may_have_an_odd_name(self):
        tool = self.path("[x]")
        with open(tool, "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\necho \"$0\"\n")
        os.chmod(tool, 0o755)
        self.assertEqual(run("hold", "64M", "--", tool).stdout.decode(), tool + "\n")
        self.assertEqual(run("hold", "64M", "--", "[").returncode, 2, "the program called [")

    def test_global_options_may_stand_before_the_verb_and_behind_it(self):
        for words in (("--quiet", "hold", "64M"), ("hold", "-q", "64M"), ("hold", "64M", "-q")):
            self.assertEqual(run(*words, "--", "sh", "-c", "exit 7").returncode, 7, words)

    def test_a_command_needs_the_dashes(self):
        for words in (("64M", "true"), ("64M", "[a,b]"), ("64M", "sh", "-c", "exit 0"), ("64M",),
                      ("64M", "--"), ("64M", "true", "--"), ("64M", "true", "--", "true")):
            with self.subTest(words=words):
                result = run("hold", *words)
                self.assertEqual(result.returncode, 125, result.stderr)
                self.assertIn(b"memplugctl hold 64M -- ", result.stderr)

    def test_what_stands_behind_the_dashes_is_no_size(self):
        result = run("hold", "--", "64M", "true")
        self.assertEqual(result.returncode, 125)
        self.assertIn(b"a SIZE or a RANGE is needed", result.stderr)

    def test_of_other_verbs_the_dashes_mean_what_they_do_everywhere(self):
        self.assertEqual(run("unplug", "--", "64M").returncode, 0)
        self.assertEqual(run("--", "hold").returncode, 2)


class Handover(Case):
    SCRIPT = ('cat "/proc/self/fd/$MEMPLUG_JSON_FD" >"$0"; '
              'printf %s "${MEMPLUG_JSON-unset}" >"$0.json"; '
              'printf %s "${MEMPLUG_RANGES-unset}" >"$0.ranges"')

    def hold(self, size, pieces, variables=None):
        result = run("hold", str(size), "--", "sh", "-c", self.SCRIPT, self.path("out"),
                     order={"managed": 64 * GIB, "unplug": {"pieces": pieces}}, variables=variables)
        self.assertEqual((result.returncode, result.stdout), (0, b""), result.stderr)
        return json.loads(self.read("out"))

    def test_the_descriptor_has_what_the_variable_has(self):
        handed = self.hold(64 * MIB, 2)
        self.assertEqual(handed, json.loads(self.read("out.json")))
        self.assertEqual(" ".join(part["range"] for part in handed["ranges"]),
                         self.read("out.ranges"))

    def test_many_pieces(self):
        # As many as break the kernel's limit for one string, and more than a result has otherwise.
        for size, pieces in ((3600 * MIB, 900), (16 * GIB, 4096), (128 * GIB, 32768)):
            with self.subTest(pieces=pieces):
                handed = self.hold(size, pieces)
                self.assertEqual(len(handed["ranges"]), pieces)
                self.assertFalse(handed["truncated"])
                self.assertEqual(self.read("out.json"), "unset")
        self.assertEqual(self.read("out.ranges"), "unset")

    def test_a_variable_of_an_outer_hold_is_not_left(self):
        self.hold(3600 * MIB, 900, {"MEMPLUG_JSON": "{}", "MEMPLUG_RANGES": "old"})
        self.assertEqual(self.read("out.json"), "unset")
        self.assertNotEqual(self.read("out.ranges"), "old")

    def test_where_a_large_environment_leaves_no_room_the_variables_give_way(self):
        crowd = {f"CROWD{i}": "x" * 100000 for i in range(19)}
        handed = self.hold(800 * MIB, 200, crowd)
        self.assertEqual(len(handed["ranges"]), 200)

    def test_the_descriptor_can_not_be_written_to(self):
        result = run("hold", "64M", "--", "sh", "-c",
                     'echo x 2>/dev/null >>"/proc/self/fd/$MEMPLUG_JSON_FD" && exit 1; exit 0')
        self.assertEqual(result.returncode, 0)


class Signals(Case):
    def setUp(self):
        super().setUp()
        self.order = {"unplug": {"sleep_ms": 1000}}
        self.log = self.log_of(self.order)

    def start(self, *arguments, **options):
        return start("hold", "64M", *arguments, "--", "touch", self.path("ran"), order=self.order,
                     **options)

    def claim_is_running(self):
        wait_until(self.log, "the claim begins")
        time.sleep(0.1)

    def test_one_that_comes_during_the_last_claim_keeps_the_command_from_starting(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(signal=number):
                process = self.start("--json")
                self.claim_is_running()
                process.send_signal(number)
                out, err = process.communicate(timeout=stand_in.PATIENCE)
                self.assertFalse(os.path.exists(self.path("ran")), "the command has run")
                self.assertEqual(process.returncode, 125)
                self.assertEqual(json.loads(out)["error"]["errno"], "EINTR")
                self.assertIn(b"given back", err)
                os.unlink(self.order["log"])

    def test_what_is_ignored_at_the_start_stays_ignored(self):
        process = self.start(preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN))
        self.claim_is_running()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=stand_in.PATIENCE)
        self.assertEqual(process.returncode, 0)
        self.assertTrue(os.path.exists(self.path("ran")))

    def test_nohup_is_meant_for_the_command_too(self):
        script = 'trap "" HUP; exec "$@"'
        process = subprocess.Popen(
            ["sh", "-c", script, "sh", stand_in.TOOL, "hold", "64M", "--", "sh", "-c",
             'touch "$0"; sleep 1; exit 3', self.path("ran")],
            env=stand_in.environment({}), stdin=subprocess.DEVNULL)
        wait_until(lambda: os.path.exists(self.path("ran")), "the command runs")
        process.send_signal(signal.SIGHUP)
        self.assertEqual(process.wait(timeout=stand_in.PATIENCE), 3)


if __name__ == "__main__":
    unittest.main(argv=sys.argv)
