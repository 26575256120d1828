# SPDX-License-Identifier: MIT
"""Soaks the module: one guest under everything at once, for as long as asked for.

What is done and what is right, tests/lab/guest/soak.cpp knows.
"""

import argparse
import json
import secrets
import sys
from collections.abc import Callable

import artefacts
import guest
import kernels
import ledger
import paths
import qemu
import session
import suite
import verdict
from outcome import EXIT_STATUS, Kind, say

_MARK = b"soak-json: "
# Seconds between two comparisons of all accounts, on average; more on a slow kernel, so that they
# leave time for what they judge.
_CHECK_EVERY = 25
# Boot, the last checks, and waiting for whoever is slow; the guest's own deadlines come first.
_SECONDS_AROUND = 900
# So that stress-ng never finds the memory that it is about to ask for gone.
_MODULE_ARGS = "floor=1G"


def add_options(parser: argparse.ArgumentParser):
    """The verb's options."""
    parser.add_argument("--minutes", type=float, default=60, metavar="N",
                        help="how long (default 60)")
    parser.add_argument("--kernel", default=kernels.default(), choices=list(kernels.KERNELS))
    parser.add_argument("--seed", type=int, metavar="S", help="default: a new one, printed")


class Output:
    """The guest's stdout: shows it, but for the figures, which it keeps."""

    def __init__(self, show: Callable[[bytes], None]):
        self._show = show
        self._line = b""
        self.figures: dict | None = None

    def take(self, data: bytes):
        """A sink of the session's."""
        *lines, self._line = (self._line + data).split(b"\n")
        for line in lines:
            if line.startswith(_MARK):
                self.figures = json.loads(line[len(_MARK):])
            else:
                self._show(line + b"\n")


def _wish(options: argparse.Namespace, kernel: kernels.Kernel) -> session.Wish:
    seconds = max(1, round(options.minutes * 60))
    return session.Wish(
        command=["sh", "/lab/soak.sh", str(seconds), str(options.seed),
                 str(_CHECK_EVERY * kernel.slowness)],
        machine=qemu.Machine("6G", 1, 2, "page_poison=1" if kernel.instrumented
                             else "init_on_alloc=0"),
        # What is asked for in minutes takes no longer on a slow kernel: the rest does.
        expected=verdict.Expectation(timeout=seconds / kernel.patience + _SECONDS_AROUND),
        kernel=options.kernel, module_args=_MODULE_ARGS, disk="2G", programs=("stress-ng",),
        lab_files={name: paths.LAB / name for name in ("lib.sh", "soak.sh")})


def _write(figures: dict, options: argparse.Namespace, release: str, ended: str):
    paths.SOAK.mkdir(parents=True, exist_ok=True)
    path = paths.SOAK / f"{options.kernel}-seed-{options.seed}.json"
    figures = {"kernel": release, "ended": ended, **figures}
    path.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    say(f"the figures are in {path.relative_to(paths.ROOT)}")


def run(options: argparse.Namespace) -> int:
    """The verb. 0: nothing broke."""
    if options.seed is None:
        options.seed = secrets.randbelow(1 << 31)
    built = artefacts.build(options.kernel, "native")
    wish = _wish(options, built.kernel)
    say(f"soaking Linux {built.kernel.release} for {options.minutes:g} minutes, "
        f"seed {options.seed}")
    output = Output(guest.write_all(sys.stdout.buffer))
    sinks = session.Sinks(output.take, guest.write_all(sys.stderr.buffer), lambda _: None,
                          lambda _: None)
    result, outcome = session.run(wish, built, sinks)
    _write(output.figures or {"seed": options.seed}, options, built.kernel.release,
           outcome.kind.value)
    ledger.note("soak", built.kernel.release, options.minutes * 60,
                outcome.kind.value if outcome.kind == Kind.PASS else outcome.message,
                f"seed {options.seed}")
    if outcome.kind == Kind.PASS:
        say("nothing broke")
        return 0
    suite.show_console_end(result.console)
    say(f"{outcome.message}; the seed was {options.seed}")
    return outcome.status if outcome.kind == Kind.FAIL else EXIT_STATUS[outcome.kind]
