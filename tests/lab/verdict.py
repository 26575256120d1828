# SPDX-License-Identifier: MIT
"""Judges a guest's run: reads the verdict that the guest's init wrote last, and the log.

An early end of the guest can't look like a pass: without a whole verdict that carries the
run's own token there is no pass.
"""

import dataclasses
import re

import klog
from guest import Run
from outcome import Kind, Outcome

SKIP_STATUS = 77
_FIELDS = ("setup", "status", "unplugged", "unload", "memtotal_before", "memtotal_after")


@dataclasses.dataclass(frozen=True)
class Expectation:
    """What a run is judged against.

    report: the one kernel report that must come and is allowed. panic: likewise the one panic;
    the verdict is then the crash kernel's. leave_unplugged: memory that is still unplugged at
    the end is no fault. timeout: for the message. added_mib: what the command, if it is good,
    adds to the machine's memory and leaves there.
    """

    timeout: float
    report: str | None = None
    panic: str | None = None
    leave_unplugged: bool = False
    added_mib: int = 0


def end_mark(token: str) -> bytes:
    """The last line of a verdict."""
    return f"end {token}\n".encode()


def parse(data: bytes, token: str) -> dict[str, str] | None:
    """The verdict's fields; None if it is not whole and well-formed."""
    text = data.decode(errors="replace")
    rows = text.splitlines()
    if len(rows) < 2 or rows[0] != f"verdict {token}" or rows[-1] != f"end {token}":
        return None
    if not text.endswith("\n"):
        return None
    fields = {}
    for row in rows[1:-1]:
        name, separator, value = row.partition("=")
        if not separator or name in fields:
            return None
        fields[name] = value
    whole = tuple(fields) == _FIELDS and re.fullmatch(r"\d{1,3}|none", fields["status"])
    return fields if whole else None


def judge(run: Run, token: str, expected: Expectation) -> Outcome:
    """What became of a run."""
    early = _ended_early(run, expected)
    if early:
        return early
    if not run.verdict:
        return Outcome(Kind.NO_VERDICT, "the guest powered off without a verdict")
    fields = parse(run.verdict, token)
    if fields is None:
        shown = run.verdict[:200].decode(errors="replace")
        return Outcome(Kind.GARBLED, f"the guest's verdict is garbled: {shown!r}")
    if fields["setup"] != "ok":
        return Outcome(Kind.SETUP, f"the guest could not be prepared: {fields['setup']}")
    return (_judge_log(run, expected) or _judge_end(fields, expected)
            or _judge_status(int(fields["status"])))


def _ended_early(run: Run, expected: Expectation) -> Outcome | None:
    panics = klog.panics(run.console)
    if panics and expected.panic and re.search(expected.panic, panics[0]):
        panics = panics[1:]
    if panics:
        first = klog.reports(run.console)
        cause = f"; first report: {first[0]}" if first else ""
        return Outcome(Kind.PANIC, f"the guest's kernel panicked: {panics[0]}{cause}")
    if run.qemu_status is None:
        last = next((row for row in reversed(klog.lines(run.console)) if row.strip()), "nothing")
        return Outcome(Kind.HANG, f"the guest was not done after {run.seconds:.0f} s "
                                  f"and was killed; last on its console: {last}")
    if run.qemu_status != 0 or (not run.console and run.qemu_errors):
        return Outcome(Kind.QEMU, f"QEMU failed with status {run.qemu_status}: "
                                  f"{run.qemu_errors or 'no message'}")
    return None


def _judge_log(run: Run, expected: Expectation) -> Outcome | None:
    found = klog.reports(run.console)
    wanted = re.compile(expected.report) if expected.report else None
    others = [line for line in found if not (wanted and wanted.search(line))]
    if others:
        more = f" (and {len(others) - 1} more)" if len(others) > 1 else ""
        return Outcome(Kind.REPORT, f"the kernel log has a report: {others[0]}{more}")
    if wanted and not any(wanted.search(line) for line in klog.lines(run.console)):
        return Outcome(Kind.REPORT_MISSING,
                       f"the kernel log lacks the report that was to come: {expected.report}")
    if expected.panic and not klog.panics(run.console):
        return Outcome(Kind.REPORT_MISSING,
                       f"the kernel log lacks the panic that was to come: {expected.panic}")
    return None


def _judge_end(fields: dict[str, str], expected: Expectation) -> Outcome | None:
    status = fields["status"]
    if fields["unplugged"] not in ("0", "none") and not expected.leave_unplugged \
            and status in ("0", str(SKIP_STATUS)):
        return Outcome(Kind.LEFT, "memory was left unplugged at the end: "
                                  f"{fields['unplugged']} bytes")
    ended = f" (the command ended with {status})"
    if fields["unload"] not in ("ok", "none"):
        return Outcome(Kind.UNLOAD,
                       f"the module could not be unloaded: {fields['unload']}{ended}")
    before, after = fields["memtotal_before"], fields["memtotal_after"]
    if _kib(before) is None or _kib(after) != _kib(before) + 1024 * expected.added_mib:
        added = f", {expected.added_mib} MiB added," if expected.added_mib else ""
        return Outcome(Kind.DRIFT, f"MemTotal was {before} kB at the beginning{added} "
                                   f"and is {after} kB at the end{ended}")
    return None


def _kib(figure: str) -> int | None:
    return int(figure) if figure.isdecimal() else None


def _judge_status(status: int) -> Outcome:
    if status == 0:
        return Outcome(Kind.PASS, "passed", status)
    if status == SKIP_STATUS:
        return Outcome(Kind.SKIP, "SKIPPED", status)
    return Outcome(Kind.FAIL, f"failed with exit status {status}", status)
