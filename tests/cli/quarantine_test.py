# SPDX-License-Identifier: MIT
"""memplugctl quarantine and its file: what was said to be saved is, whatever else goes on."""

import json
import os
import random
import resource
import signal
import stat
import subprocess
import sys
import time
import unittest

import stand_in
from stand_in import MIB, Case, run, start

BASE = 0x140000000
IS_ROOT = os.geteuid() == 0


def page(number):
    return f"{BASE + number * 0x1000:#x}+4K"


def line(number):
    return f"0x{BASE + number * 0x1000:016x}-0x{BASE + number * 0x1000 + 0xfff:016x}"


class FileCase(Case):
    def setUp(self):
        super().setUp()
        self.file = self.path("quarantine")

    def quarantine(self, verb, *arguments, **options):
        return run("quarantine", verb, *arguments, "--file", self.file, **options)

    def entries(self, path=None):
        with open(path or self.file, encoding="utf-8") as file:
            return [text.strip() for text in file if text.startswith("0x")]

    def report(self, result):
        return json.loads(result.stdout)


class Writers(FileCase):
    def test_forty_at_once_lose_nothing(self):
        # Not neighbours, so that each stays a line of its own.
        numbers = range(0, 80, 2)
        waiting, running, ended = list(numbers), [], []
        while waiting or running:
            while waiting and len(running) < 8:
                number = waiting.pop()
                running.append((number, start("quarantine", "add", page(number), "--file",
                                              self.file, "--quiet")))
            number, process = running.pop(0)
            process.communicate(timeout=stand_in.PATIENCE)
            ended.append((number, process.returncode))
        self.assertEqual({status for _, status in ended}, {0})
        self.assertEqual(sorted(self.entries()), sorted(line(number) for number in numbers))
        self.assertEqual(sorted(os.listdir(self.folder)), ["quarantine", "quarantine.lock"])

    def test_what_is_removed_beside_an_add_does_not_come_back(self):
        for turn in range(10):
            self.assertEqual(self.quarantine("add", page(0)).returncode, 0)
            remove = start("quarantine", "remove", page(0), "--file", self.file)
            add = start("quarantine", "add", page(2 * turn + 2), "--file", self.file)
            for process in (remove, add):
                process.communicate(timeout=stand_in.PATIENCE)
                self.assertEqual(process.returncode, 0)
            self.assertNotIn(line(0), self.entries())
            self.assertIn(line(2 * turn + 2), self.entries())

    def test_a_kill_at_any_moment_leaves_a_whole_file_with_all_that_was_confirmed(self):
        chance = random.Random(7)
        confirmed = set()
        for number in range(0, 80, 2):
            process = start("quarantine", "add", page(number), "--file", self.file)
            time.sleep(chance.random() * 0.06)
            process.send_signal(signal.SIGKILL)
            process.communicate(timeout=stand_in.PATIENCE)
            if process.returncode == 0:
                confirmed.add(line(number))
            result = self.quarantine("list", "--json")
            self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(self.quarantine("add", page(100)).returncode, 0, "a lock has been left")
        self.assertLessEqual(confirmed, set(self.entries()))

    def test_one_that_waits_for_another_ends_with_a_signal(self):
        self.quarantine("add", page(0))
        holder = subprocess.Popen(["flock", self.file + ".lock", "sleep", "60"])
        self.addCleanup(holder.wait)
        self.addCleanup(holder.kill)
        time.sleep(0.3)
        process = start("quarantine", "add", page(2), "--file", self.file, "--json")
        stand_in.wait_until(lambda: stand_in.catches(process, signal.SIGINT), "it is at work")
        time.sleep(0.3)
        self.assertIsNone(process.poll(), "it did not wait")
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=stand_in.PATIENCE)
        self.assertEqual(process.returncode, 1)
        self.assertEqual(json.loads(out)["error"]["errno"], "EINTR")
        self.assertEqual(self.entries(), [line(0)])


class Reading(FileCase):
    def test_what_can_not_be_looked_for_is_not_absent(self):
        os.symlink("loop", self.path("loop"))
        self.file = self.path("loop")
        for verb in ("add", "remove"):
            result = self.quarantine(verb, page(0), "--json")
            self.assertEqual(result.returncode, 1)
            self.assertEqual(self.report(result)["error"]["errno"], "ELOOP")
        self.assertTrue(os.path.islink(self.file))
        self.write("plain", "")
        self.file = self.path("plain") + "/below"
        self.assertEqual(self.report(self.quarantine("add", page(0), "--json"))["error"]["errno"],
                         "ENOTDIR")

    def test_errors_of_reading_name_the_file(self):
        for path, reason in (("/proc/self/mem", "Input/output error"), (self.folder, "directory"),
                             (self.path("none"), "No such file"), ("/dev/zero", "File too large")):
            with self.subTest(path=path):
                result = run("quarantine", "apply", path)
                self.assertEqual(result.returncode, 1)
                self.assertIn(f"cannot read {path}: ".encode(), result.stderr)
                self.assertIn(reason.encode(), result.stderr)

    def test_apply_reads_a_pipe_and_leaves_nothing_behind(self):
        source = self.write("source", f"memmap=4K${BASE:#x}\n")
        with open(source, "rb") as file:
            script = "cat | \"$0\" quarantine apply /dev/stdin --json"
            result = subprocess.run(["sh", "-c", script, stand_in.TOOL], stdin=file, check=False,
                                    stdout=subprocess.PIPE, env=stand_in.environment({}),
                                    timeout=stand_in.PATIENCE)
        self.assertEqual(json.loads(result.stdout)["out_size"], 4 * MIB)
        self.assertEqual(run("quarantine", "apply", source).returncode, 0)
        self.assertEqual(os.listdir(self.folder), ["source"])

    def test_a_damaged_file_is_known_before_anything_is_done(self):
        self.write("quarantine", "0x15000\n")
        order = {}
        log = self.log_of(order)
        for verb in ("add", "remove"):
            self.assertEqual(self.quarantine(verb, page(0), order=order).returncode, 2)
        self.assertEqual((log(), self.read("quarantine")), ([], "0x15000\n"))


class Replacing(FileCase):
    def test_a_link_stays_a_link(self):
        os.mkdir(self.path("real"))
        os.symlink("real/list", self.file)
        self.assertEqual(self.quarantine("add", page(0)).returncode, 0, "where nothing is yet")
        self.assertEqual(self.quarantine("add", page(2)).returncode, 0)
        self.assertEqual(self.quarantine("remove", page(0)).returncode, 0)
        self.assertTrue(os.path.islink(self.file))
        self.assertEqual(self.entries(self.path("real/list")), [line(2)])
        self.assertEqual(sorted(os.listdir(self.path("real"))), ["list", "list.lock"])

    def test_mode_and_owner_stay(self):
        self.quarantine("add", page(0))
        os.chmod(self.file, 0o600)
        if IS_ROOT:
            os.chown(self.file, 1234, 2345)
        self.quarantine("add", page(2))
        self.quarantine("remove", page(0))
        status = os.stat(self.file)
        self.assertEqual(stat.S_IMODE(status.st_mode), 0o600)
        if IS_ROOT:
            self.assertEqual((status.st_uid, status.st_gid), (1234, 2345))

    def test_without_an_umask_nobody_else_may_write(self):
        self.file = self.path("new/etc/quarantine")
        result = self.quarantine("add", page(0), preexec_fn=lambda: os.umask(0))
        self.assertEqual(result.returncode, 0)
        for name in ("new", "new/etc", "new/etc/quarantine", "new/etc/quarantine.lock"):
            self.assertEqual(os.stat(self.path(name)).st_mode & 0o022, 0, name)

    @unittest.skipUnless(IS_ROOT, "needs root to be somebody else")
    def test_the_link_of_another_user_is_not_followed(self):
        os.chmod(self.folder, 0o1777)
        self.write("victim", "0x1000+4K\n")
        for name in ("quarantine", "quarantine.lock"):
            with self.subTest(planted=name):
                os.symlink(self.path("victim"), self.path(name))
                os.lchown(self.path(name), 1234, 1234)
                result = self.quarantine("add", page(0), "--json")
                self.assertNotEqual(result.returncode, 0)
                self.assertEqual(self.read("victim"), "0x1000+4K\n")
                os.unlink(self.path(name))


class Unwritable(FileCase):
    """The memory is out, and it is said that this is all."""

    def expect_unsaved(self, result, status=64):
        self.assertEqual(result.returncode, status, result.stderr)
        report = self.report(result)
        self.assertEqual(report["operation"], "quarantine_add")
        self.assertEqual(report["out_size"], 4 * MIB)
        self.assertIsNone(report["file"])
        self.assertIn(b"until the next boot", result.stderr)
        self.assertIn(b"not saved", result.stderr)

    def mounted(self, script):
        """Runs it as "sh -c" in a mount namespace of its own; $0 is the tool, $1 the folder."""
        return subprocess.run(["unshare", "--mount", "sh", "-euc", script, stand_in.TOOL,
                               self.folder],
                              env=stand_in.environment({}), stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, check=False, timeout=stand_in.PATIENCE)

    ADD = f'"$0" quarantine add {page(0)} --json --file'

    @unittest.skipUnless(IS_ROOT, "needs root to mount")
    def test_read_only(self):
        self.expect_unsaved(self.mounted(
            f'mkdir "$1/etc"; mount -t tmpfs -o ro tmpfs "$1/etc"; {self.ADD} "$1/etc/quarantine"'))

    @unittest.skipUnless(IS_ROOT, "needs root to mount")
    def test_full(self):
        script = ('mkdir "$1/etc"; mount -t tmpfs -o size=64k tmpfs "$1/etc"; '
                  'echo "# mine" >"$1/etc/quarantine"; : >"$1/etc/quarantine.lock"; '
                  'dd if=/dev/zero of="$1/etc/fill" bs=4k 2>/dev/null || true; '
                  f'status=0; {self.ADD} "$1/etc/quarantine" || status=$?; '
                  'ls "$1/etc" | grep -q new && exit 99; '
                  'grep -q mine "$1/etc/quarantine" || exit 98; '
                  'exit $status')
        self.expect_unsaved(self.mounted(script))

    @unittest.skipUnless(IS_ROOT, "needs root to mount")
    def test_mounted_over(self):
        script = ('echo "# mine" >"$1/a"; echo "# other" >"$1/quarantine"; '
                  'mount --bind "$1/a" "$1/quarantine"; '
                  f'status=0; {self.ADD} "$1/quarantine" || status=$?; '
                  'ls "$1" | grep -q new && exit 99; exit $status')
        self.expect_unsaved(self.mounted(script))

    def test_limited(self):
        self.write("quarantine", "# mine\n")
        result = self.quarantine(
            "add", page(0), "--json",
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (16, 16)))
        self.expect_unsaved(result)
        self.assertEqual(sorted(os.listdir(self.folder)), ["quarantine", "quarantine.lock"])
        self.assertEqual(self.read("quarantine"), "# mine\n")

    @unittest.skipIf(IS_ROOT, "root may write everything")
    def test_no_permission(self):
        os.chmod(self.folder, 0o555)
        self.expect_unsaved(self.quarantine("add", page(0), "--json"))
        os.chmod(self.folder, 0o755)


class Status(FileCase):
    def test_what_is_marked_and_not_out_yet_is_no_failure(self):
        for verb in ("add", "apply"):
            with self.subTest(verb=verb):
                order = {"quarantine": {"wanted": True}}
                self.write("quarantine", f"{page(0)}\n")
                arguments = ((verb, page(2), "--file", self.file) if verb == "add"
                             else (verb, self.file))
                result = run("quarantine", *arguments, "--timeout", "100ms", "--json", order=order)
                self.assertEqual(result.returncode, 64)
                report = self.report(result)
                self.assertEqual((report["out_size"], report["wanted_size"]), (0, 4 * MIB))
                self.assertEqual(report["file"], self.file)

    def test_what_is_refused_altogether_is_one(self):
        order = {"quarantine": {"unmanaged": [[0, 1 << 40]]}}
        result = self.quarantine("add", page(0), "--json", order=order)
        self.assertEqual(result.returncode, 1)
        self.assertIsNone(self.report(result)["file"])
        self.assertFalse(os.path.exists(self.file))

    def test_a_part_that_is_not_managed_is_saved_with_the_rest(self):
        order = {"quarantine": {"unmanaged": [[BASE, 4 * MIB]]}}
        result = self.quarantine("add", f"{BASE:#x}+8M", "--json", order=order)
        self.assertEqual(result.returncode, 64)
        report = self.report(result)
        self.assertEqual((report["out_size"], report["refused_size"]), (4 * MIB, 4 * MIB))
        self.assertEqual(report["file"], self.file)
        self.assertEqual(self.entries(), [f"0x{BASE:016x}-0x{BASE + 8 * MIB - 1:016x}"])
        self.assertIn(b"has that, too", result.stderr)

    def test_remove_names_the_file_only_if_it_wrote_it(self):
        result = self.quarantine("remove", page(0), "--json")
        self.assertEqual((result.returncode, self.report(result)["file"]), (0, None))
        self.assertEqual(os.listdir(self.folder), [])
        self.quarantine("add", page(0))
        self.assertIsNone(self.report(self.quarantine("remove", page(2), "--json"))["file"])
        self.assertEqual(self.report(self.quarantine("remove", page(0), "--json"))["file"],
                         self.file)

    def test_remove_all_writes_once(self):
        self.write("quarantine", "".join(f"{page(number)}\n" for number in range(0, 4000, 2)))
        trace = self.path("trace")
        result = subprocess.run(
            ["strace", "-f", "-e", "trace=rename,renameat,renameat2", "-o", trace, "-E",
             "LD_PRELOAD=" + stand_in.LIBRARY, stand_in.TOOL, "quarantine", "remove", "--all",
             "--file", self.file],
            env={name: value for name, value in stand_in.environment({}).items()
                 if name != "LD_PRELOAD"},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, timeout=stand_in.PATIENCE)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(self.read("trace").count("rename("), 1)
        self.assertEqual(self.entries(), [])

    def test_a_signal_ends_the_wait_and_what_is_marked_is_saved(self):
        order = {"quarantine": {"wanted": True}}
        log = self.log_of(order)
        process = start("quarantine", "add", page(0), "--file", self.file, "--json", order=order)
        stand_in.wait_until(log, "it is marked")
        time.sleep(0.2)
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=stand_in.PATIENCE)
        self.assertEqual(process.returncode, 64)
        self.assertEqual(json.loads(out)["stopped_by"], "interrupted")
        self.assertEqual(self.entries(), [line(0)])


class Follow(FileCase):
    FAILURE = "Memory failure: 0x{:x}: recovery action for free buddy page: Recovered\n"

    def follow(self, **options):
        return start("quarantine", "follow", "--file", self.file, stdin=subprocess.PIPE, **options)

    def test_what_a_log_tells_of_is_in_the_file_at_once(self):
        process = self.follow()
        for number in (0, 7):
            process.stdin.write(self.FAILURE.format((BASE >> 12) + number).encode())
            process.stdin.flush()
            stand_in.wait_until(lambda number=number: os.path.exists(self.file)
                                and line(number) in self.entries(), "the page is saved")
        process.stdin.close()
        self.assertEqual(process.wait(timeout=stand_in.PATIENCE), 0)
        self.assertEqual(process.stderr.read().count(b"an error that was not corrected"), 2)
        process.stdout.close()
        process.stderr.close()

    def test_a_signal_ends_the_wait_for_the_next_line(self):
        process = self.follow()
        process.stdin.write(self.FAILURE.format(BASE >> 12).encode())
        process.stdin.flush()
        stand_in.wait_until(lambda: os.path.exists(self.file), "it is at work")
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=stand_in.PATIENCE)
        self.assertEqual(process.returncode, 0)

    def test_lines_without_end_are_no_burden(self):
        text = b"x" * (1 << 22) + b"\n" + self.FAILURE.format(BASE >> 12).encode()
        path = self.path("log")
        with open(path, "wb") as file:
            file.write(text)
        with open(path, "rb") as file:
            result = run("quarantine", "follow", "--file", self.file, stdin=file)
        self.assertEqual(result.returncode, 0)
        self.assertEqual(self.entries(), [line(0)])


if __name__ == "__main__":
    unittest.main(argv=sys.argv)
