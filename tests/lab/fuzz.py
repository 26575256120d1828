# SPDX-License-Identifier: MIT
"""Fuzzes the module's ioctls in one guest, and brings home the inputs that reached something new.

What is tried and what is right, tests/lab/guest/ioctl_fuzz.cpp knows.
"""

import argparse
import base64
import io
import os
import secrets
import sys
import tarfile
from pathlib import Path

import artefacts
import casefile
import guest
import kernels
import ledger
import paths
import qemu
import session
import suite
import verdict
from outcome import EXIT_STATUS, Kind, say

_BEGIN = b"-----BEGIN NEW INPUTS-----\n"
_END = b"-----END NEW INPUTS-----\n"
_JOURNAL_MARK = b"# memplug fuzz journal, process "
_RECORD = 4096
# Boot, replay, the last checks and choosing the new inputs, on a kernel that is not slow.
_SECONDS_AROUND = 240


def add_options(parser: argparse.ArgumentParser):
    """The verb's options."""
    parser.add_argument("--minutes", type=float, default=10, metavar="N",
                        help="how long to fuzz (default 10)")
    parser.add_argument("--calls", type=int, metavar="N",
                        help="end after so many calls, if that comes first")
    parser.add_argument("--kernel", default=kernels.default(), choices=list(kernels.KERNELS))
    parser.add_argument("--processes", type=int, default=4, metavar="N",
                        help="that make calls (default 4)")
    parser.add_argument("--seed", type=int, metavar="S", help="default: a new one, printed")
    parser.add_argument("--mem", default="6G", metavar="SIZE", help="memory (default 6G)")
    parser.add_argument("--numa", type=int, default=1, metavar="N", help="nodes (default 1)")
    parser.add_argument("--no-pressure", action="store_true",
                        help="without a process that dirties memory beside")
    parser.add_argument("--no-hotplug", action="store_true",
                        help="without memory blocks that go offline and come back beside")
    parser.add_argument("--complete", action="store_true",
                        help="fail if a documented errno was not seen")


class Output:
    """The guest's stdout: shows it, but for the inputs, which it keeps."""

    def __init__(self, show):
        self._show = show
        self._line = b""
        self._archive: bytearray | None = None
        self.archive = b""

    def take(self, data: bytes):
        """A sink of the session's."""
        *lines, self._line = (self._line + data).split(b"\n")
        for line in lines:
            self._take_line(line + b"\n")

    def _take_line(self, line: bytes):
        if line == _BEGIN:
            self._archive = bytearray()
        elif line == _END and self._archive is not None:
            self.archive = base64.b64decode(bytes(self._archive))
            self._archive = None
        elif self._archive is not None:
            self._archive += line
        else:
            self._show(line)


def unpack(archive: bytes, folder: Path) -> list[Path]:
    """Writes the inputs of an archive; nothing else that may be in it, and nowhere else."""
    written = []
    if not archive:
        return written
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as members:
        for member in members:
            name = Path(member.name).name
            if member.isfile() and name.endswith(".txt"):
                path = folder / name
                path.write_bytes(members.extractfile(member).read())
                written.append(path)
    return sorted(written)


def read_journal(disk: Path, folder: Path) -> list[Path]:
    """What each process tried last, from the raw disk: its file system was never unmounted."""
    written = {}
    data = disk.read_bytes()
    place = data.find(_JOURNAL_MARK)
    # Where a file system puts a file, it does in blocks of its own size.
    while place >= 0:
        text = data[place:place + _RECORD].split(b"\0")[0]
        number = int(text[len(_JOURNAL_MARK):].split(b",")[0])
        path = folder / f"last-{number:02}.txt"
        path.write_bytes(b"# SPDX-License-Identifier: MIT\n" + text)
        written[number] = path
        place = data.find(_JOURNAL_MARK, place + len(text))
    return [written[number] for number in sorted(written)]


def _wish(options: argparse.Namespace, folder: Path, kernel: kernels.Kernel) -> session.Wish:
    seconds = max(1, round(options.minutes * 60))
    words = ["--seconds", str(seconds), "--processes", str(options.processes),
             "--seed", str(options.seed)]
    words += ["--calls", str(options.calls)] if options.calls else []
    words += [] if options.no_pressure else ["--pressure"]
    words += [] if options.no_hotplug else ["--hotplug"]
    words += ["--complete"] if options.complete else []
    files = {name: paths.LAB / name for name in ("lib.sh", "fuzz.sh")}
    files.update(casefile.named_files("fuzz-corpus"))
    files.update(casefile.named_files("fuzz-crashes"))
    return session.Wish(
        command=["sh", "/lab/fuzz.sh", *words],
        # Calls are what counts: nothing that is done for each page only.
        machine=qemu.Machine(options.mem, options.numa, 2, "init_on_alloc=0 page_owner=off"),
        module_args=f"subblock_size={kernel.granularity_mib}M",
        expected=verdict.Expectation(timeout=seconds / kernel.patience + _SECONDS_AROUND),
        kernel=options.kernel, disk="64M", disk_path=folder / "disk", lab_files=files)


def run(options: argparse.Namespace) -> int:
    """The verb. 0: nothing was found."""
    if options.seed is None:
        options.seed = secrets.randbelow(1 << 31)
    folder = paths.FUZZ / f"seed-{options.seed}"
    folder.mkdir(parents=True, exist_ok=True)
    built = artefacts.build(options.kernel, "native")
    # What is asked for in minutes takes no longer on a slow kernel: the rest does.
    wish = _wish(options, folder, built.kernel)
    say(f"fuzzing Linux {built.kernel.release} for {options.minutes:g} minutes, "
        f"seed {options.seed}")
    output = Output(guest.write_all(sys.stdout.buffer))
    with (folder / "console").open("wb") as console:
        sinks = session.Sinks(output.take, guest.write_all(sys.stderr.buffer),
                              guest.write_all(console), lambda _: None)
        result, outcome = session.run(wish, built, sinks)
    inputs = unpack(output.archive, folder)
    ledger.note("fuzz-kernel", built.kernel.release, options.minutes * 60,
                outcome.kind.value if outcome.kind == Kind.PASS else outcome.message,
                " ".join(filter(None, [f"seed {options.seed}, {len(inputs)} new inputs",
                                       os.environ.get("MEMPLUG_MODULE_ARGS")])))
    if inputs:
        say(f"{len(inputs)} inputs that reach something new are in "
            f"{folder.relative_to(paths.ROOT)}")
    if outcome.kind == Kind.PASS:
        wish.disk_path.unlink()
        return 0
    for path in read_journal(wish.disk_path, folder):
        say(f"tried last: {path.relative_to(paths.ROOT)}")
    suite.show_console_end(result.console)
    say(f"{outcome.message}; the seed was {options.seed}")
    return outcome.status if outcome.kind == Kind.FAIL else EXIT_STATUS[outcome.kind]
