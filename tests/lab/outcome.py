# SPDX-License-Identifier: MIT
"""The ways a guest run can end, each with its own name, message and exit status.

Judges nothing: verdict.py does.
"""

import dataclasses
import enum
import sys


class Kind(enum.Enum):
    """How a run ended. The value is the name that a case's `expect=` uses."""

    PASS = "pass"
    SKIP = "skip"
    FAIL = "fail"
    QEMU = "qemu"
    PANIC = "panic"
    HANG = "hang"
    NO_VERDICT = "no-verdict"
    GARBLED = "garbled-verdict"
    SETUP = "setup"
    REPORT = "report"
    REPORT_MISSING = "report-missing"
    LEFT = "left-unplugged"
    UNLOAD = "unload"
    DRIFT = "memtotal-drift"


# Exit statuses of `./run guest`, apart from the command's own. Documented in its help.
EXIT_STATUS = {
    Kind.QEMU: 200,
    Kind.PANIC: 201,
    Kind.HANG: 202,
    Kind.NO_VERDICT: 203,
    Kind.GARBLED: 204,
    Kind.SETUP: 205,
    Kind.REPORT: 206,
    Kind.REPORT_MISSING: 207,
    Kind.LEFT: 208,
    Kind.UNLOAD: 209,
    Kind.DRIFT: 210,
}

# `./run guest` could not even prepare the guest: a fetch or a build failed.
HOST_SETUP_STATUS = 211


@dataclasses.dataclass(frozen=True)
class Outcome:
    """A kind, what to tell the user about it, and the command's status if it has one."""

    kind: Kind
    message: str
    status: int | None = None


class LabError(Exception):
    """The host side can't go on; the text says why and what to do."""


def say(text: str):
    """Tells the user something; on stderr, as stdout belongs to the guest's command."""
    print(f"lab: {text}", file=sys.stderr, flush=True)
