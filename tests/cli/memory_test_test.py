# SPDX-License-Identifier: MIT
"""memplugctl test: its resume and quarantine files, as other users and full disks have them."""

import json
import os
import resource
import signal
import sys
import time
import unittest

import stand_in
from stand_in import MIB, Case, run, start

BASE = 0x140000000
IS_ROOT = os.geteuid() == 0
OTHER_USER = 1234
# Prints what memtester does; its word at $BAD never holds what it should.
MEMTESTER = """#!/bin/sh
base=$(($2)) size=${5%B} status=0
printf 'memtester version 4.6.0 (64-bit)\\nLoop 1/1:\\n  Solid Bits : '
offset=$((BAD - base))
if [ $offset -ge 0 ] && [ $offset -lt $size ]; then
  word=$((base + offset % (size / 2)))
  printf 'FAILURE: 0x%016x != 0x%016x at physical address 0x%016x.\\n' 1 0 $word >&2
  status=4
fi
echo Done.
exit $status
"""


class MemoryCase(Case):
    def setUp(self):
        super().setUp()
        self.order = {"survey": [[BASE, 128 * MIB]]}
        self.file = self.path("quarantine")
        self.memtester = self.path("memtester")
        self.set_bad(0)

    def set_bad(self, address):
        self.write("memtester", MEMTESTER.replace("BAD", f"{address:#x}"))
        os.chmod(self.memtester, 0o755)

    def arguments(self, *more):
        return ("test", "--all", "--json", "--memtester", self.memtester, "--file", self.file,
                *more)

    def test_memory(self, *more, **options):
        return run(*self.arguments(*more), order=self.order, **options)


class Resuming(MemoryCase):
    def setUp(self):
        super().setUp()
        self.state = self.path("state")

    def test_it_goes_on_from_what_it_wrote(self):
        first = json.loads(self.test_memory("--resume", self.state).stdout)
        self.assertEqual((first["tested_size"], first["memtester"]), (128 * MIB, "4.6.0"))
        again = json.loads(self.test_memory("--resume", self.state).stdout)
        self.assertEqual((again["tested_size"], again["memtester"]), (128 * MIB, None))

    @unittest.skipUnless(IS_ROOT, "needs root to be somebody else")
    def test_what_another_user_wrote_is_not_believed(self):
        self.test_memory("--resume", self.state)
        os.chown(self.state, OTHER_USER, OTHER_USER)
        before = self.read("state")
        result = self.test_memory("--resume", self.state)
        self.assertEqual(result.returncode, 2)
        self.assertIn(b"belongs to another user", result.stderr)
        self.assertEqual(self.read("state"), before)

    def test_what_others_may_write_is_not_believed(self):
        self.test_memory("--resume", self.state)
        for mode in (0o666, 0o664, 0o602):
            os.chmod(self.state, mode)
            result = self.test_memory("--resume", self.state)
            self.assertEqual(result.returncode, 2)
            self.assertIn(b"others may write to it", result.stderr)
        os.chmod(self.state, 0o644)
        self.assertEqual(self.test_memory("--resume", self.state).returncode, 0)

    @unittest.skipUnless(IS_ROOT, "needs root to be somebody else")
    def test_a_planted_link_leads_nowhere(self):
        os.chmod(self.folder, 0o1777)
        self.write("victim", "mine")
        good = self.path("good")
        self.test_memory("--resume", good)
        victim = self.path("victim")
        for name, target in (("state", victim), ("state", good), ("state", "nothing"),
                             ("state.new", victim), ("state.lock", victim)):
            with self.subTest(name=name, target=target):
                os.symlink(target, self.path(name))
                os.lchown(self.path(name), OTHER_USER, OTHER_USER)
                result = self.test_memory("--resume", self.state)
                if name != "state.new":
                    self.assertNotEqual(result.returncode, 0)
                self.assertEqual(self.read("victim"), "mine")
                self.assertFalse(os.path.exists(self.path("nothing")))
                for left in (name, "state", "state.lock"):
                    if os.path.lexists(self.path(left)):
                        os.unlink(self.path(left))

    def test_two_at_once_do_not_forget_what_the_other_finds(self):
        self.write("memtester", "#!/bin/sh\nsleep 1\n" + self.read("memtester"))
        processes = [start(*self.arguments("--resume", self.state), order=self.order)
                     for _ in range(2)]
        reports = [json.loads(process.communicate(timeout=stand_in.PATIENCE)[0])
                   for process in processes]
        self.assertEqual([report["tested_size"] for report in reports], [128 * MIB] * 2)
        self.assertEqual(sorted(str(report["memtester"]) for report in reports), ["4.6.0", "None"],
                         "the second one had nothing left to do")


class Keeping(MemoryCase):
    def test_a_damaged_quarantine_file_is_known_at_once(self):
        self.set_bad(BASE + 0x1000)
        self.write("quarantine", "0x15000\n")
        log = self.log_of(self.order)
        result = self.test_memory()
        self.assertEqual(result.returncode, 2)
        self.assertIn(self.file, json.loads(result.stdout)["error"]["message"])
        self.assertEqual(log(), [], "memory was taken first")
        self.assertEqual(self.test_memory("--no-keep").returncode, 1, "nothing is to be written")

    def test_what_can_not_be_saved_does_not_end_the_test(self):
        self.set_bad(BASE + 0x1000)
        result = self.test_memory(
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)))
        self.assertEqual(result.returncode, 1)
        report = json.loads(result.stdout)
        self.assertEqual((report["tested_size"], report["stopped_by"]), (128 * MIB, None))
        self.assertEqual((report["bad"][0]["kept"], report["file"]), (True, None))
        self.assertIn(b"not saved", result.stderr)

    def test_what_is_saved_is_told(self):
        self.set_bad(BASE + 0x1000)
        report = json.loads(self.test_memory().stdout)
        self.assertEqual(report["file"], self.file)
        self.assertIn(f"0x{BASE + 0x1000:016x}-0x{BASE + 0x1fff:016x}\n", self.read("quarantine"))

    def test_what_fails_is_not_called_interrupted(self):
        self.order["quarantine"] = {"errno": 5}
        self.set_bad(BASE + 64 * MIB + 0x1000)
        report = json.loads(self.test_memory().stdout)
        self.assertEqual(report["stopped_by"], "failed")
        self.assertNotIn("interrupted", [part["reason"] for part in report["untested"]])

    def test_a_signal_before_the_report_does_not_lose_it(self):
        ready = self.path("ready")
        self.write("memtester", f"#!/bin/sh\n: >'{ready}'\nsleep 1\n" + self.read("memtester"))
        process = start(*self.arguments(), order=self.order)
        stand_in.wait_until(lambda: os.path.exists(ready), "memtester runs")
        process.send_signal(signal.SIGINT)
        time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=stand_in.PATIENCE)
        self.assertEqual(json.loads(out)["stopped_by"], "interrupted")


if __name__ == "__main__":
    unittest.main(argv=sys.argv)
