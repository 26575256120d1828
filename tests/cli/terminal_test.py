# SPDX-License-Identifier: MIT
"""What memplugctl owes terminals, pipes and signals: progress that fits, lines that are whole."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
import unittest

import stand_in
from stand_in import Case, run, run_on_terminal, start, wait_until

SLOW = {"unplug": {"sleep_ms": 1200}}
CLEAR = "\r\033[K"


class Progress(Case):
    def drawn(self, *arguments, columns=80, term="xterm"):
        status, shown = run_on_terminal(*arguments, columns=columns, order=SLOW,
                                        variables={"TERM": term}, stdout=subprocess.DEVNULL)
        self.assertEqual(status, 0, shown)
        return shown

    def test_it_fits_into_the_terminal(self):
        for columns in (1, 10, 30, 80, 200):
            with self.subTest(columns=columns):
                shown = self.drawn("unplug", "64M", columns=columns)
                lines = [part for part in shown.split(CLEAR) if part]
                self.assertEqual([part for part in lines if len(part) >= columns], [])
                self.assertEqual(bool(lines), columns > 1, shown)
                self.assertIn(CLEAR, shown)

    def test_a_wide_one_gets_all_of_it(self):
        self.assertRegex(self.drawn("unplug", "64M"),
                         r"unplugging 1\.0 GiB of 4\.0 GiB, .*/s, .* left")

    def test_a_narrow_one_gets_what_comes_first(self):
        self.assertIn("unplugging 1.0 GiB of 4.0 GiB" + CLEAR,
                      self.drawn("unplug", "64M", columns=30))

    def test_a_dumb_one_gets_none(self):
        for term in ("dumb", ""):
            self.assertEqual(self.drawn("unplug", "64M", term=term), "")


class Order(Case):
    def test_a_result_comes_before_what_explains_it(self):
        order = {"unplug": {"done": 4 << 20, "stop": 1}}
        status, shown = run_on_terminal("unplug", "64M", order=order)
        self.assertEqual(status, 64, shown)
        self.assertLess(shown.index("unplugged 4 MiB of 64 MiB"), shown.index("the floor"), shown)

    def test_a_result_that_can_not_be_written_is_told_once(self):
        with open("/dev/full", "wb") as full:
            result = run("unplug", "64M", stdout=full)
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stderr.count(b"No space left"), 1, result.stderr)


class Signals(Case):
    def setUp(self):
        super().setUp()
        self.order = {"unplug": {"sleep_ms": 800}}
        self.log = self.log_of(self.order)

    def run_and_signal(self, *arguments, number):
        process = start(*arguments, "--json", order=self.order)
        wait_until(self.log, "the request begins")
        time.sleep(0.1)
        process.send_signal(number)
        out, _ = process.communicate(timeout=stand_in.PATIENCE)
        os.unlink(self.order["log"])
        return process.returncode, json.loads(out)

    def test_what_was_done_is_told_when_the_signal_came_too_late(self):
        for verb in ("unplug", "plug"):
            for number in (signal.SIGINT, signal.SIGTERM):
                status, report = self.run_and_signal(verb, "64M", number=number)
                self.assertEqual((status, report["shortfall"]), (0, 0))

    def test_what_was_ignored_at_the_start_stays_ignored(self):
        def ignore():
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        process = start("unplug", "64M", "--json", order=self.order, preexec_fn=ignore)
        wait_until(self.log, "the request begins")
        self.assertFalse(stand_in.catches(process, signal.SIGINT))
        self.assertTrue(stand_in.catches(process, signal.SIGTERM))
        process.communicate(timeout=stand_in.PATIENCE)
        self.assertEqual(process.returncode, 0)

    def test_a_reader_that_takes_nothing_can_be_left(self):
        reader, writer = os.pipe()
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
        os.write(writer, b"x" * 4096)
        process = start("unplug", "64M", "--json", order={}, stdout=writer)
        wait_until(lambda: stand_in.catches(process, signal.SIGINT), "it is at work")
        time.sleep(0.5)
        self.assertIsNone(process.poll(), "it did not wait for its reader")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=stand_in.PATIENCE)
        self.assertEqual(process.returncode, 1)
        os.close(reader)
        os.close(writer)


class Watching(Case):
    def test_errors_are_one_line(self):
        for arguments, status in ((("watch", "--count", "x"), 2), (("watch", "--bogus"), 2),
                                  (("watch", "--device", "/nonexistent"), 1)):
            with self.subTest(arguments=arguments):
                result = run(*arguments, "--json")
                self.assertEqual(result.returncode, status)
                self.assertEqual(result.stdout.count(b"\n"), 1)
                self.assertIn("error", json.loads(result.stdout))

    def test_a_pipe_that_does_not_block_loses_nothing(self):
        for arguments, order in ((("watch", "--count", "2000", "--timeout", "30s", "--json"),
                                  {"events": 2000}),
                                 (("unplug", "3600M", "--json"), {"unplug": {"pieces": 900}})):
            with self.subTest(verb=arguments[0]):
                reader, writer = os.pipe()
                fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
                os.set_blocking(writer, False)
                process = start(*arguments, order=order, stdout=writer)
                os.close(writer)
                time.sleep(0.5)
                with os.fdopen(reader, "rb") as pipe:
                    text = pipe.read()
                self.assertEqual(process.wait(timeout=stand_in.PATIENCE), 0)
                process.communicate(timeout=stand_in.PATIENCE)
                if arguments[0] == "watch":
                    lines = [json.loads(line) for line in text.splitlines()]
                    self.assertEqual([event["generation"] for event in lines],
                                     list(range(1, 2001)))
                else:
                    self.assertEqual(len(json.loads(text)["ranges"]), 900)


if __name__ == "__main__":
    unittest.main(argv=sys.argv)
