# SPDX-License-Identifier: MIT
"""Tells a fault of QEMU's emulator, which may end any guest, from one of the guest's kernel.

The kernel changes its own code while it runs, behind a breakpoint that it takes away in the end.
Before QEMU 8.1 (deba78709ae8) an emulated CPU may still run a translation of what was there when
another CPU changed it. If that is the breakpoint, the kernel knows nothing of it any more: an oops.
Only while nothing of this project has run in the guest is that beyond doubt.
"""

import re
import subprocess

import accel
import arch
import klog
from artefacts import Built
from guest import Run
from outcome import Kind, Outcome

_MENDED = (8, 1)
# With what the module's lines in the kernel log begin, and the kernel's about it.
_OURS = b"memplug: "


def is_to_blame(run: Run, outcome: Outcome, built: Built) -> bool:
    """Whether the guest ended by that and should be run again."""
    return (outcome.kind == Kind.PANIC and klog.has_stale_breakpoint(run.console)
            and _OURS not in run.console
            and accel.choose(built.kernel.image) == "tcg" and version() < _MENDED)


def version() -> tuple[int, int]:
    """QEMU's."""
    text = subprocess.run([arch.here().qemu, "--version"], stdout=subprocess.PIPE, text=True,
                          check=True).stdout
    return parse(text)


def parse(text: str) -> tuple[int, int]:
    """What `--version` says, as numbers."""
    match = re.search(r"version (\d+)\.(\d+)", text)
    return (int(match.group(1)), int(match.group(2))) if match else _MENDED
