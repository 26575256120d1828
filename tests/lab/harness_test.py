# SPDX-License-Identifier: MIT
"""Tests the lab's judgement itself, without a guest: log scan, verdict, headers, QEMU line."""

import contextlib
import dataclasses
import io
import json
import lzma
import os
import re
import struct
import tempfile
import time
import unittest
from pathlib import Path
from unittest import mock

import arch
import bzimage
import casefile
import guest
import kernel_files
import kernels
import klog
import ledger
import metrics
import paths
import qemu
import schema
import stale_code
import stuck_byte
import suite
import verdict
from guest import Run
from newc import NewcWriter
from outcome import Kind, LabError, Outcome
from plan import Plan, command_text

TOKEN = "0123456789abcdef"


def whole_verdict(**changes: str) -> bytes:
    """A verdict of a good run, but for the changes."""
    fields = {"setup": "ok", "status": "0", "unplugged": "0", "unload": "ok",
              "memtotal_before": "6065368", "memtotal_after": "6065368", **changes}
    rows = [f"verdict {TOKEN}", *(f"{key}={value}" for key, value in fields.items()),
            f"end {TOKEN}"]
    return "".join(f"{row}\n" for row in rows).encode()


def judged(data: bytes, console: bytes = b"Linux version 6.1\r\n", status: int | None = 0,
           errors: str = "", **expected) -> Kind:
    """The kind that a run is given."""
    run = Run(console, data, status, errors, 1.0)
    return verdict.judge(run, TOKEN, verdict.Expectation(60, **expected)).kind


class Verdicts(unittest.TestCase):
    """Which run is what."""

    def test_good_run_passes(self):
        self.assertEqual(judged(whole_verdict()), Kind.PASS)

    def test_skip_and_failure_by_status(self):
        self.assertEqual(judged(whole_verdict(status="77")), Kind.SKIP)
        self.assertEqual(judged(whole_verdict(status="1")), Kind.FAIL)
        self.assertEqual(judged(whole_verdict(status="255")), Kind.FAIL)

    def test_no_verdict_and_empty_verdict(self):
        self.assertEqual(judged(b""), Kind.NO_VERDICT)

    def test_every_cut_of_a_verdict_is_garbled(self):
        data = whole_verdict()
        for length in range(1, len(data)):
            self.assertEqual(judged(data[:length]), Kind.GARBLED, data[:length])

    def test_verdict_of_another_run_is_garbled(self):
        other = whole_verdict().replace(TOKEN.encode(), b"fedcba9876543210")
        self.assertEqual(judged(other), Kind.GARBLED)

    def test_verdict_with_a_line_too_many_is_garbled(self):
        data = whole_verdict()
        self.assertEqual(judged(b"status=0\n" + data), Kind.GARBLED)
        self.assertEqual(judged(data + b"status=0\n"), Kind.GARBLED)
        self.assertEqual(judged(data.replace(b"unload=ok", b"unload=ok\nstatus=0")),
                         Kind.GARBLED)

    def test_faults_at_the_end(self):
        self.assertEqual(judged(whole_verdict(setup="insmod failed")), Kind.SETUP)
        self.assertEqual(judged(whole_verdict(unplugged="4194304")), Kind.LEFT)
        self.assertEqual(judged(whole_verdict(unplugged="unknown")), Kind.LEFT)
        self.assertEqual(judged(whole_verdict(unload="busy")), Kind.UNLOAD)
        self.assertEqual(judged(whole_verdict(memtotal_after="6065364")), Kind.DRIFT)

    def test_what_a_case_says_it_adds_is_there_at_the_end(self):
        more = whole_verdict(memtotal_after=str(6065368 + 100 * 1024))
        self.assertEqual(judged(more), Kind.DRIFT)
        self.assertEqual(judged(more, added_mib=100), Kind.PASS)
        self.assertEqual(judged(more, added_mib=102), Kind.DRIFT)
        self.assertEqual(judged(whole_verdict(), added_mib=100), Kind.DRIFT)
        self.assertEqual(judged(whole_verdict(memtotal_before="unknown")), Kind.DRIFT)

    def test_skip_hides_no_fault(self):
        self.assertEqual(judged(whole_verdict(status="77", unplugged="4194304")), Kind.LEFT)
        self.assertEqual(judged(whole_verdict(status="77", unload="busy")), Kind.UNLOAD)
        self.assertEqual(judged(whole_verdict(status="77"), b"BUG: x\n"), Kind.REPORT)

    def test_memory_may_be_left_where_allowed(self):
        self.assertEqual(judged(whole_verdict(unplugged="4194304"), leave_unplugged=True),
                         Kind.PASS)

    def test_panic_wins_over_a_good_verdict_and_over_the_deadline(self):
        console = b"[ 1.0] Kernel panic - not syncing: hung\r\n"
        self.assertEqual(judged(whole_verdict(), console), Kind.PANIC)
        self.assertEqual(judged(b"", console, status=None), Kind.PANIC)

    def test_expected_panic_must_come_once_and_a_verdict_after_it(self):
        panic = b"[ 1.0] Kernel panic - not syncing: sysrq triggered crash\r\n"
        wanted = {"panic": "sysrq triggered crash"}
        self.assertEqual(judged(whole_verdict(), panic, **wanted), Kind.PASS)
        self.assertEqual(judged(whole_verdict(status="1"), panic, **wanted), Kind.FAIL)
        self.assertEqual(judged(b"", panic, **wanted), Kind.NO_VERDICT)
        self.assertEqual(judged(whole_verdict()[:-2], panic, **wanted), Kind.GARBLED)
        self.assertEqual(judged(b"", panic, status=None, **wanted), Kind.HANG)
        self.assertEqual(judged(whole_verdict(), b"Linux version 6.1\r\n", **wanted),
                         Kind.REPORT_MISSING)
        self.assertEqual(judged(whole_verdict(), b"[ 1.0] BUG: other\n" + panic, **wanted),
                         Kind.REPORT)

    def test_every_other_panic_is_one(self):
        panic = b"[ 1.0] Kernel panic - not syncing: sysrq triggered crash\r\n"
        other = b"[ 1.0] Kernel panic - not syncing: Fatal exception\r\n"
        wanted = {"panic": "sysrq triggered crash"}
        for console in (other, panic + other, other + panic, panic + panic):
            self.assertEqual(judged(whole_verdict(), console, **wanted), Kind.PANIC, console)

    def test_killed_at_the_deadline_is_a_hang(self):
        self.assertEqual(judged(b"", status=None), Kind.HANG)
        self.assertEqual(judged(whole_verdict(), status=None), Kind.HANG)

    def test_qemu_that_fails(self):
        self.assertEqual(judged(b"", b"", status=1, errors="no such machine"), Kind.QEMU)

    def test_expected_report_must_come_and_is_the_only_one(self):
        report = b"[ 1.0] WARNING: CPU: 0 PID: 1 at lab\r\n"
        wanted = {"report": r"WARNING: CPU: \d+ PID: \d+ at lab"}
        self.assertEqual(judged(whole_verdict(), report), Kind.REPORT)
        self.assertEqual(judged(whole_verdict(), report, **wanted), Kind.PASS)
        self.assertEqual(judged(whole_verdict(), b"", **wanted), Kind.REPORT_MISSING)
        self.assertEqual(judged(whole_verdict(), report + b"BUG: other\n", **wanted),
                         Kind.REPORT)


class Log(unittest.TestCase):
    """What in a kernel log is a report."""

    def test_reports(self):
        for line in (
                "WARNING: CPU: 1 PID: 9 at mm/page_alloc.c:9000 free_contig_range+0x1/0x2",
                "WARNING: possible circular locking dependency detected",
                "WARNING: possible recursive locking detected",
                "WARNING: inconsistent lock state",
                "WARNING: suspicious RCU usage",
                "WARNING: bad unlock balance detected!",
                "BUG: kernel NULL pointer dereference, address: 0000000000000008",
                "BUG: KASAN: use-after-free in x+0x1/0x2",
                "BUG: sleeping function called from invalid context at mm/x.c:1",
                "BUG: scheduling while atomic: sh/1/0x00000002",
                "BUG: Bad page state in process sh  pfn:12345",
                "kernel BUG at mm/x.c:1!",
                "Oops: 0000 [#1] PREEMPT SMP",
                "general protection fault, probably for non-canonical address",
                "UBSAN: shift-out-of-bounds in x.c:1:2",
                "INFO: task kworker/0:1:9 blocked for more than 120 seconds.",
                "rcu: INFO: rcu_preempt self-detected stall on CPU",
                "rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:",
                "watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [sh:1]",
                "watchdog: Watchdog detected hard LOCKUP on cpu 0",
                "sh: page allocation failure: order:0, mode:0xcc0",
                "Out of memory: Killed process 9 (sh)",
                "sh invoked oom-killer: gfp_mask=0xcc0",
                "list_add corruption. next->prev should be prev",
                "refcount_t: underflow; use-after-free.",
                "kmemleak: 3 new suspected memory leaks (see /sys/kernel/debug/kmemleak)"):
            console = f"[    1.234567] {line}\r\n".encode()
            self.assertEqual(len(klog.reports(console)), 1, line)

    def test_ordinary_lines(self):
        for line in (
                "memplug: loading out-of-tree module taints kernel.",
                "memplug: module verification failed: signature and/or required key missing",
                "rcu: Hierarchical SRCU implementation.",
                "rcu: RCU calculated value of scheduler-enlistment delay is 25 jiffies.",
                "clocksource: tsc: mask: 0xffffffffffffffff",
                "Memory: 6000000K/6290908K available",
                "EXT4-fs (vda): mounted filesystem with ordered data mode.",
                "audit: type=2000 audit(1.0:1): state=initialized audit_enabled=0"):
            self.assertEqual(klog.reports(f"[ 1.0] {line}\r\n".encode()), [], line)

    def test_races_of_others_are_none_of_ours(self):
        def console(*frames: str) -> bytes:
            rows = ["=" * 66, "BUG: KCSAN: data-race in one / other", "",
                    "write to 0xffff888100000000 of 8 bytes by task 9 on cpu 0:", *frames[:3], "",
                    "read to 0xffff888100000000 of 8 bytes by task 8 on cpu 1:", *frames[3:], "",
                    "value changed: 0x1 -> 0x2", "=" * 66,
                    "memplug: this line is not the report's", " after+0x1/0x2 [memplug]"]
            return "".join(f"[    5.000001] {row}\r\n" for row in rows).encode()
        ours, others, deep = " claim+0x1/0x2 [memplug]", " compact+0x1/0x2", " isolate+0x1/0x2"
        self.assertEqual(klog.reports(console(others, deep, ours, others, deep, ours)), [])
        for frames in ((ours, others, deep, others, deep, others),
                       (others, ours, deep, others, deep, others),
                       (others, deep, deep, others, ours, deep)):
            self.assertEqual(len(klog.reports(console(*frames))), 1, frames)
        cut = console(others, deep, ours, others, deep, ours).partition(b"value changed")[0]
        self.assertEqual(len(klog.reports(cut)), 1, "what is cut off may be anybody's")


class Documents(unittest.TestCase):
    """What docs/ tells to type is what a case runs."""

    def test_tracing(self):
        document = (paths.ROOT / "docs/tracing.md").read_text(encoding="utf-8")
        case = (paths.CASES / "tracepoints.sh").read_text(encoding="utf-8")
        lines = [line for line in document.splitlines() if line.startswith("perf ")]
        self.assertGreater(len(lines), 5)
        for line in lines:
            self.assertIn(line, case)


class Schema(unittest.TestCase):
    """The schema of what memplugctl prints, and what holds objects against it."""

    EVENT = {"schema_version": 1, "generation": 7, "time_us": 1, "event": "target", "cause": None,
             "range": None, "start": None, "size": None, "node": None, "total_size": None,
             "target_size": 5, "state": None, "lost": 0,
             "wall_time": "2026-01-31T12:34:56.789012Z"}

    def setUp(self):
        self.schema = schema.load()

    def problems(self, verb: str, **changes) -> list[str]:
        """Of an event, but for the changes; ... takes a key away."""
        printed = {key: value for key, value in {**self.EVENT, **changes}.items()
                   if value is not ...}
        return schema.problems(self.schema, verb, printed)

    def test_golden_files(self):
        files = sorted((paths.ROOT / "tests/unit/golden").glob("*.json"))
        self.assertGreater(len(files), 8)
        for path in files:
            with self.subTest(path.name):
                verb = path.stem.partition("-")[0]
                printed = json.loads(path.read_text(encoding="utf-8"))
                self.assertEqual(schema.problems(self.schema, verb, printed), [])

    def test_what_is_wrong_is_told(self):
        self.assertEqual(self.problems("watch"), [])
        for changes in ({"lost": ...}, {"new": 1}, {"event": "other"}, {"lost": -1},
                        {"lost": "0"}, {"range": "0x1-0x2"}, {"schema_version": 2}):
            with self.subTest(changes=changes):
                self.assertEqual(len(self.problems("watch", **changes)), 1)
        self.assertEqual(len(self.problems("status")), 1)

    def test_metrics_have_to_be_as_prometheus_wants_them(self):
        self.assertEqual(metrics.problems_of_case(b"@metrics # TYPE a gauge\n@metrics a 1\n"), [])
        self.assertEqual(len(metrics.problems_of_case(b"@metrics a{ 1\n")), 1)
        self.assertEqual(len(metrics.problems_of_case(b"a 1\n")), 1)

    def test_every_verb_has_to_be_there(self):
        line = b"@object watch " + json.dumps(self.EVENT).encode()
        missing = schema.problems_of_case(b"more\n" + line + b"\n")
        self.assertEqual(len(missing), len(schema.verbs(self.schema)) - 1)
        self.assertIn("error: no object", missing)
        self.assertIn("list: no JSON", " ".join(schema.problems_of_case(b"@object list {\n")))

    def test_the_contract_has_every_verb(self):
        contract = (paths.ROOT / "docs/cli.md").read_text(encoding="utf-8")
        self.assertEqual([verb for verb in schema.verbs(self.schema)
                          if f"`{verb}" not in contract and f"/{verb}`" not in contract], [])


class Headers(unittest.TestCase):
    """A case's header."""

    def read(self, text: str) -> casefile.Case:
        """Reads a case with this text."""
        with tempfile.TemporaryDirectory() as folder, \
                mock.patch.object(paths, "CASES", Path(folder)):
            (Path(folder) / "one.sh").write_text(text, encoding="utf-8")
            return casefile.read("one")

    def test_defaults(self):
        case = self.read("#!/bin/sh\n")
        self.assertEqual((case.timeout, case.expect, case.load), (120, Kind.PASS, True))
        self.assertEqual(case.machine(), qemu.Machine("6G", 1, 2, ""))

    def test_values(self):
        case = self.read("# lab: mem=4G\n# lab: numa=2\n# lab: module=none\n"
                         "# lab: append=a=b c\n# lab: expect=panic\n")
        self.assertEqual(case.machine(), qemu.Machine("4G", 2, 2, "a=b c"))
        self.assertEqual((case.load, case.expect), (False, Kind.PANIC))

    def test_whole_system(self):
        case = self.read("# lab: system=yes\n# lab: module=none\n")
        self.assertTrue(case.wants_system)
        for header in ("# lab: system=yes\n",
                       "# lab: system=yes\n# lab: module=none\n# lab: disk=1G\n"):
            with self.assertRaises(LabError):
                self.read(header)

    def test_files(self):
        files = self.read("# lab: files=fuzz-corpus,fuzz-crashes\n").files
        self.assertEqual(files["fuzz-corpus/sizes.txt"], paths.LAB / "fuzz-corpus" / "sizes.txt")
        self.assertIn("fuzz-crashes/README.md", files)
        with self.assertRaises(LabError):
            self.read("# lab: files=no-such-folder\n")

    def test_room_for_devices(self):
        case = self.read("# lab: max-mem=8G\n# lab: devices=virtio-mem,virtio-balloon\n"
                         "# lab: qmp=yes\n# lab: modules=virtio_mem,virtio_balloon\n")
        machine = case.machine()
        self.assertEqual((machine.max_memory, case.commands_qemu), ("8G", True))
        self.assertEqual(case.kernel_modules, ("virtio_mem", "virtio_balloon"))
        self.assertEqual(machine.devices,
                         qemu.DEVICES["virtio-mem"] + qemu.DEVICES["virtio-balloon"])
        self.assertFalse(self.read("# lab: mem=8G\n").commands_qemu)

    def test_mistakes_are_told(self):
        for line in ("# lab: memory=4G", "# lab: qmp=no", "# lab: devices=virtio-net",
                     "# lab:mem=4G", "# lab: mem=4G\n# lab: mem=6G",
                     "# lab: numa=two", "# lab: needs=luck",
                     "# lab: expect=success", "# lab: expect-report=(",
                     "# lab: expect-panic=(", "# lab: vmlinuz=6.1"):
            with self.assertRaises(LabError, msg=line):
                self.read(line + "\n")

    def test_every_case_is_readable(self):
        for path in paths.CASES.glob("*.sh"):
            casefile.read(path.stem)

    def test_cases_say_what_they_need(self):
        signs = {"block-offlining": r"echo offline|\boffline_block|^offline_rounds",
                 "memory-devices": r"pc-dimm", "crash-kernel": r"\bkexec ",
                 "sleep-states": r"\bsuspend_to_ram|>/sys/power/state"}
        # What a memory device brought may be offlined anywhere.
        enough = {"block-offlining": {"block-offlining", "memory-devices"}}
        for path in paths.CASES.glob("*.sh"):
            text = path.read_text(encoding="utf-8")
            needs = set(casefile.read(path.stem).needs)
            for need, sign in signs.items():
                if re.search(sign, text, re.MULTILINE):
                    self.assertTrue(needs & enough.get(need, {need}),
                                    f"{path.name} does not say that it needs {need}")


class Architectures(unittest.TestCase):
    """What differs from one to the next."""

    def test_what_is_lacking_is_told(self):
        poor = dataclasses.replace(arch.here(), has=frozenset({"low-2g"}))
        self.assertEqual(poor.lacks(("low-2g",)), [])
        self.assertEqual(poor.lacks(("programs-32", "low-2g")), [arch.NEEDS["programs-32"]])

    def test_a_case_is_skipped_where_its_needs_are_not_met(self):
        poor = dataclasses.replace(arch.here(), name="poor", has=frozenset())
        case = mock.Mock(needs=("memory-devices",))
        case.name = "dimm"
        printed = io.StringIO()
        with mock.patch("arch.here", return_value=poor), \
                mock.patch("casefile.read", return_value=case), \
                contextlib.redirect_stdout(printed):
            self.assertEqual(suite.run_case("dimm", is_built=True), suite.SKIPPED)
        self.assertIn("dimm: poor has no memory devices", printed.getvalue())

    def test_no_row_no_guests(self):
        arch.here.cache_clear()
        self.addCleanup(arch.here.cache_clear)
        with mock.patch("platform.machine", return_value="pdp11"), \
                self.assertRaisesRegex(LabError, "pdp11"):
            arch.here()

    def test_place_in_the_file_that_is_a_guests_memory(self):
        here = dataclasses.replace(arch.here(), low_size=2 << 30, high_start=4 << 30)
        self.assertEqual(here.offset_of(1 << 20), 1 << 20)
        self.assertEqual(here.offset_of((4 << 30) + 5), (2 << 30) + 5)


class KernelImages(unittest.TestCase):
    """What is inside a kernel's image."""

    @staticmethod
    def elf(note: int) -> bytes:
        """An ELF file with a note of this kind, of Xen's."""
        notes = (struct.pack("<III", 4, 8, 1) + b"GNU\0" + bytes(8)
                 + struct.pack("<III", 4, 4, note) + b"Xen\0" + bytes(4))
        header = b"\x7fELF\x02\x01" + bytes(26) + struct.pack("<Q", 64) + bytes(14)
        header += struct.pack("<HH", 56, 1) + bytes(6)
        return header + struct.pack("<IIQQQQQQ", 4, 0, 120, 0, 0, len(notes), 0, 4) + notes

    @staticmethod
    def image(payload: bytes) -> bytes:
        """An image that unpacks this, with one sector of setup."""
        image = bytearray(1024)
        image[0x1F1] = 1
        image[0x202:0x206] = b"HdrS"
        struct.pack_into("<H", image, 0x206, 0x20F)
        struct.pack_into("<II", image, 0x248, 16, len(payload))
        return bytes(image) + bytes(16) + payload + b"the rest"

    def test_kernel_that_can_be_entered(self):
        kernel = self.elf(18)
        packed = lzma.compress(kernel, check=lzma.CHECK_CRC32)
        self.assertEqual(bzimage.kernel_inside(self.image(packed + bytes(4))), kernel)

    def test_others(self):
        packed = lzma.compress(self.elf(18), check=lzma.CHECK_CRC32)
        for image in (b"", bytes(2048), self.image(b"\x28\xb5\x2f\xfd of zstd"),
                      self.image(lzma.compress(self.elf(7))), self.image(lzma.compress(b"no ELF")),
                      self.image(packed).replace(b"HdrS", b"....")):
            self.assertIsNone(bzimage.kernel_inside(image))

    def test_made_once(self):
        with tempfile.TemporaryDirectory() as folder:
            image = Path(folder) / "vmlinuz"
            image.write_bytes(self.image(lzma.compress(self.elf(18))))
            kernel = kernel_files.bootable(image)
            self.assertEqual(kernel.read_bytes(), self.elf(18))
            image.write_bytes(b"")
            self.assertEqual(kernel_files.bootable(image), kernel)
        with tempfile.TemporaryDirectory() as folder:
            image = Path(folder) / "vmlinuz"
            image.write_bytes(b"something else")
            self.assertEqual(kernel_files.bootable(image), image)
            self.assertEqual(len(list(Path(folder).iterdir())), 2)


class StaleCode(unittest.TestCase):
    """Which panics are the emulator's doing."""

    OOPS = (b"[    2.577707] Oops: int3: 0000 [#1] SMP NOPTI\r\n"
            b"[    2.607658] Kernel panic - not syncing: Fatal exception in interrupt\r\n")

    def judge(self, console: bytes, accelerator: str = "tcg", version: str = "7.2.22",
              kind: Kind = Kind.PANIC) -> bool:
        """Whether the guest is run again."""
        built = mock.Mock()
        said = mock.Mock(stdout=f"QEMU emulator version {version} (Debian 1:{version})\n")
        with mock.patch("accel.choose", return_value=accelerator), \
                mock.patch("subprocess.run", return_value=said):
            return stale_code.is_to_blame(Run(console, b"", 0, "", 1.0), Outcome(kind, ""), built)

    def test_a_breakpoint_that_is_gone(self):
        self.assertTrue(self.judge(self.OOPS))
        self.assertTrue(self.judge(self.OOPS.replace(b"Oops: int3", b"int3")))

    def test_not_where_it_cannot_be(self):
        self.assertFalse(self.judge(self.OOPS, accelerator="kvm"))
        self.assertFalse(self.judge(self.OOPS, version="8.1.0"))
        self.assertFalse(self.judge(self.OOPS, version="10.0.3"))

    def test_not_once_the_module_was_there(self):
        self.assertFalse(self.judge(b"memplug: loading out-of-tree module\r\n" + self.OOPS))

    def test_no_other_oops_and_no_other_end(self):
        self.assertFalse(self.judge(self.OOPS.replace(b"int3", b"general protection fault")))
        # A second one is the consequence of something else.
        self.assertFalse(self.judge(self.OOPS.replace(b"#1", b"#2")))
        self.assertFalse(self.judge(self.OOPS, kind=Kind.REPORT))


class KernelModules(unittest.TestCase):
    """Which files a guest inserts for the modules that a case wants."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.kernel = kernels.Kernel("7.3", "7.3.4", Path(folder.name), Path("/nowhere"))
        (self.kernel.folder / "config").write_text(
            "CONFIG_VIRTIO_PCI=y\nCONFIG_VIRTIO_MEM=m\n# CONFIG_BALLOON is not set\n", "utf-8")
        modules = self.kernel.folder / "modules"
        modules.mkdir()
        (modules / "virtio_mem.ko").write_bytes(b"\0depends=virtio\0")
        (modules / "virtio.ko").write_bytes(b"\0depends=\0")

    def order(self, *names: str) -> list[str]:
        """Their names."""
        return [path.name for path in self.kernel.load_order(list(names))]

    def test_dependencies_come_first(self):
        self.assertEqual(self.order("virtio-mem"), ["virtio.ko", "virtio_mem.ko"])

    def test_what_is_built_in_needs_no_file(self):
        self.assertEqual(self.order("virtio_pci", "virtio"), ["virtio.ko"])

    def test_what_the_kernel_lacks_is_an_error(self):
        for name in ("balloon", "unheard_of"):
            with self.assertRaisesRegex(LabError, f"keeps no kernel module '{name}' of 7.3.4"):
                self.order(name)


class StuckBytes(unittest.TestCase):
    """A byte of a file that is a guest's memory."""

    def test_is_held_where_the_guest_says(self):
        with tempfile.NamedTemporaryFile() as memory:
            memory.truncate((2 << 30) + 4096)
            with contextlib.closing(stuck_byte.StuckByte(Path(memory.name))) as stuck:
                stuck.watch(b"@stuck 0x10000")
                stuck.watch(b"0123\nmore\n")
                for value in (b"\x00", b"\xff"):
                    os.pwrite(memory.fileno(), value, (2 << 30) + 0x123)
                    self.assertTrue(self.comes(memory.fileno(), (2 << 30) + 0x123, b"\x5a"))

    def test_nobody_asked(self):
        with contextlib.closing(stuck_byte.StuckByte(Path("/none"))) as stuck:
            stuck.watch(b"what is stuck 0x100000000\n")
            stuck.watch(b"@stuck nothing\n")

    @staticmethod
    def comes(file: int, offset: int, value: bytes) -> bool:
        """Whether it is there within ten seconds."""
        deadline = time.monotonic() + 10
        while os.pread(file, 1, offset) != value:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)
        return True


class Ends(unittest.TestCase):
    """How long a guest is waited for; a shell stands for QEMU."""

    def end(self, script: str, panics: int, patience: float = 1) -> Run:
        """Runs a script that finds console and verdict in $1 and $2."""
        def line(chardevs: list[str]) -> list[str]:
            ports = [chardev.removeprefix("file,path=") for chardev in chardevs]
            return ["sh", "-c", script, "sh", *ports]

        with mock.patch.object(guest, "LAST_SECONDS", 0.3):
            return guest.run(line, 20, *[lambda _: None] * 3, b"end\n", panics,
                             patience=patience)

    def test_guest_ends_soon_after_a_panic_that_is_not_expected(self):
        panic = "echo 'Kernel panic - not syncing: x' >$1;"
        late = "sleep 1; echo end >$2"
        self.assertIsNone(self.end(panic + late, panics=0).qemu_status)
        run = self.end(panic + late, panics=1)
        self.assertEqual((run.qemu_status, run.verdict), (0, b"end\n"))
        self.assertIsNone(self.end(panic * 2 + late, panics=1).qemu_status)

    def test_guest_ends_soon_after_its_verdict(self):
        script = "echo end >$2; sleep 1"
        self.assertIsNone(self.end(script, panics=1).qemu_status)
        self.assertEqual(self.end(script, panics=1, patience=20).qemu_status, 0)


class Guests(unittest.TestCase):
    """What QEMU and init are given."""

    def line(self, machine: qemu.Machine) -> str:
        """The QEMU line of a machine, for reading."""
        return " ".join(qemu.command(machine, "tcg", Path("image"), Path("initrd"), ["null"] * 4))

    def test_nodes_share_memory_and_cpus(self):
        line = self.line(qemu.Machine("6G", nodes=2))
        self.assertEqual(line.count("size=3221225472"), 2)
        self.assertIn("node,nodeid=0,memdev=node0,cpus=0-0", line)
        self.assertIn("node,nodeid=1,memdev=node1,cpus=1-1", line)

    def test_memory_that_cannot_be_split(self):
        with self.assertRaises(LabError):
            self.line(qemu.Machine("1001M", nodes=2))
        with self.assertRaises(LabError):
            self.line(qemu.Machine("6G", nodes=2, cpus=3))
        with self.assertRaises(LabError):
            self.line(qemu.Machine("6"))

    def test_room_for_memory_devices(self):
        line = self.line(qemu.Machine("6G", max_memory="8G"))
        self.assertRegex(line, r"-m 6G,slots=[2-9],maxmem=8G ")
        self.assertNotIn("maxmem", self.line(qemu.Machine("6G")))

    def test_memory_that_is_a_file(self):
        line = self.line(qemu.Machine("3G", memory_file=Path("ram")))
        self.assertIn(f"size={3 << 30},share=on,mem-path=ram -machine memory-backend=ram", line)
        self.assertNotIn("memory-backend", self.line(qemu.Machine()))

    def test_whole_system(self):
        line = self.line(qemu.Machine(system=Path("system")))
        # What is written is lost at the end, and not before.
        self.assertIn("file=system,format=raw,if=virtio,snapshot=on", line)
        self.assertNotIn("-no-reboot", line)
        self.assertIn("-no-reboot", self.line(qemu.Machine()))

    def test_guest_that_commands_its_qemu(self):
        line = self.line(qemu.Machine(own_qmp=Path("socket")))
        # It listens before it calls.
        self.assertRegex(line, r"path=socket,server=on,wait=off .*path=socket -device pci-serial")
        self.assertIn("8250.nr_uarts=5", line)
        plain = self.line(qemu.Machine())
        self.assertNotIn("-mon", plain)
        self.assertIn("8250.nr_uarts=4", plain)

    def test_words_reach_the_shell_unchanged(self):
        self.assertEqual(command_text(["echo", "a b", "$x", "it's"]),
                         "exec echo 'a b' '$x' 'it'\"'\"'s'\n")
        self.assertIn("PLAN_MODULE_ARGS='floor=3G a=$b'\n",
                      Plan([], True, "floor=3G a=$b").text())
        self.assertIn("PLAN_EVERY_LOAD='zones=normal,dma32 workers=2'\n",
                      Plan([], True, every_load="zones=normal,dma32 workers=2").text())

    def test_smallest_subblock_is_told_to_the_guest(self):
        def granularity(release: str) -> int:
            return kernels.Kernel("any", release, Path("/k"), Path("/h")).granularity_mib
        self.assertEqual([granularity(release) for release in (
            "5.10.0-32-amd64", "5.18.19", "5.19.0", "6.1.0-56-amd64", "7.3.4+deb13-amd64")],
            [4, 4, 2, 2, 2])
        self.assertIn("PLAN_GRANULARITY_MIB=4\n", Plan([], True, granularity_mib=4).text())

    def test_ledger_tells_the_newest_of_each_kind_on_each_kernel(self):
        def line(date: str, kernel: str, result: str, minutes: float = 0) -> dict:
            return {"date": date, "revision": "abc", "what": "soak", "kernel": kernel,
                    "minutes": minutes, "result": result, "details": ""}
        rows = ledger.table([line("2026-02-01", "6.1", "pass", 60),
                             line("2026-01-01", "6.1", "old"),
                             line("2026-01-01", "", "other")]).splitlines()
        self.assertEqual(rows[2:], ["| soak | - | 2026-01-01 | abc | - | other |  |",
                                    "| soak | 6.1 | 2026-02-01 | abc | 60 | pass |  |"])

    def test_ledger_keeps_what_several_runs_note(self):
        with tempfile.TemporaryDirectory() as folder, \
                mock.patch.object(ledger, "_NEW", Path(folder) / "build" / "runs.jsonl"):
            for kernel in ("6.1", "7.3"):
                ledger.note("soak", kernel, 90, "pass", "seed 1")
            lines = ledger.read(Path(folder) / "build" / "runs.jsonl")
        self.assertEqual([(line["kernel"], line["minutes"]) for line in lines],
                         [("6.1", 1.5), ("7.3", 1.5)])

    def test_archive_holds_each_name_once_and_is_padded(self):
        out = io.BytesIO()
        archive = NewcWriter(out)
        archive.file("a/b/c", b"x")
        with self.assertRaises(ValueError):
            archive.file("a/b/c", b"y")
        archive.finish()
        self.assertEqual(out.getvalue().count(b"070701"), 4)
        self.assertEqual(len(out.getvalue()) % 4, 0)


if __name__ == "__main__":
    unittest.main()
