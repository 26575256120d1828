# SPDX-License-Identifier: MIT
"""Runs one case of tests/lab/cases, or the demo, and says whether it ended as it should."""

import contextlib
import dataclasses
import re
import resource
import sys
import tempfile
from pathlib import Path

import arch
import artefacts
import casefile
import coverage
import guest
import initramfs
import klog
import paths
import python_files
import qemu
import session
import stale_code
import stuck_byte
import verdict
from outcome import Kind, Outcome, say

SKIPPED = verdict.SKIP_STATUS
_TAIL_LINES = 40


def show_console_end(console: bytes):
    """Prints the end of the guest's console to stderr, for who has to find out why."""
    rows = [row for row in klog.lines(console) if row.strip()][-_TAIL_LINES:]
    print(f"--- the last {len(rows)} lines of the guest's console", file=sys.stderr)
    for row in rows:
        print(f"    {row}", file=sys.stderr)
    sys.stderr.flush()


def run_case(name: str, is_built: bool, installed: Path | None = None,
             subblock_size: str = "") -> int:
    """0: it ended as expected, 77: it was skipped, 1: anything else.

    With the module and the tool in the folder `installed`, if there is one.
    """
    case = casefile.read(name)
    if subblock_size:
        case = case.with_subblock_size(subblock_size)
    lacking = arch.here().lacks(case.needs)
    if lacking:
        print(f"SKIPPED: {case.name}: {arch.here().name} has no {' and no '.join(lacking)}")
        return SKIPPED
    wish = session.Wish(
        # Both streams on one port: a test's output is read in the order it was written.
        command=["sh", "-c", f"exec sh /lab/cases/{case.path.name} 2>&1"],
        machine=case.machine(),
        expected=verdict.Expectation(case.timeout, case.values.get("expect-report"),
                                     case.values.get("expect-panic"),
                                     added_mib=case.added_mib),
        load=case.load, module_args=case.values.get("module-args", ""),
        looks_for_leaks=case.looks_for_leaks, disk=case.values.get("disk"),
        system=case.wants_system,
        kernel_modules=case.kernel_modules,
        commands_qemu=case.commands_qemu, programs=case.programs, image=case.image,
        sleeps="sleep-states" in case.needs,
        lab_files={**initramfs.case_files(case.path), **case.files})
    if case.runs_python:
        wish.lab_files.update(python_files.files())
    built = artefacts.built(wish.kernel) if is_built else artefacts.build(wish.kernel, "all")
    if installed:
        built = built.with_installed(installed)
    if case.only_kernel not in (None, wish.kernel):
        print(f"SKIPPED: {case.name}: only the {case.only_kernel} kernel can show this, "
              f"and this is {built.kernel.release}")
        return SKIPPED
    if case.wants_system and built.kernel.small:
        print(f"SKIPPED: {case.name}: {built.kernel.release} has not what systemd needs")
        return SKIPPED
    lacking = [name for name in case.kernel_modules if not built.kernel.has(name)]
    if lacking and built.kernel.small:
        print(f"SKIPPED: {case.name}: {built.kernel.release} has no {' and no '.join(lacking)}")
        return SKIPPED
    if built.kernel.instrumented:
        machine = wish.machine
        wish = dataclasses.replace(wish, machine=dataclasses.replace(
            machine, append=f"{machine.append} {case.debug_append}".strip()))
    run, outcome, printed = _run(case, wish, built)
    if stale_code.is_to_blame(run, outcome, built):
        print(f"lab: {outcome.message}", flush=True)
        print("lab: QEMU's emulation ran code that the kernel had changed since; once more",
              flush=True)
        run, outcome, printed = _run(case, wish, built)
    print(f"lab: {case.name} took {run.seconds:.1f} s, {_cpu_seconds():.1f} s of CPU time",
          flush=True)
    coverage.keep(built, case.name, run.coverage)
    if case.prints_objects and outcome.kind == Kind.PASS:
        outcome = _judge_objects(printed)
    return _conclude(case, run, outcome)


def _run(case: casefile.Case, wish: session.Wish,
         built: artefacts.Built) -> tuple[guest.Run, Outcome, bytes]:
    """One guest; also what it printed."""
    printed = bytearray()
    show = guest.write_all(sys.stdout.buffer)

    def to_stdout(data: bytes):
        show(data)
        printed.extend(data)
        if stuck:
            stuck.watch(data)

    paths.LOGS.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        log = stack.enter_context((paths.LOGS / f"{case.name}.console").open("wb"))
        stuck = None
        if case.has_stuck_byte:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="memplug-memory-"))
            memory = Path(folder) / "memory"
            wish = dataclasses.replace(
                wish, machine=dataclasses.replace(wish.machine, memory_file=memory))
            stuck = stack.enter_context(contextlib.closing(stuck_byte.StuckByte(memory)))
        sinks = session.Sinks(to_stdout, to_stdout, guest.write_all(log),
                              lambda line: print(f"lab: {line}", flush=True))
        run, outcome = session.run(wish, built, sinks)
    return run, outcome, bytes(printed)


def run_demo() -> int:
    """Shows the demo's transcript; 0 if every figure in it was right and the log is clean."""
    wish = session.Wish(
        command=["sh", "-c", "exec sh /lab/demo.sh 2>&1"], machine=qemu.Machine(),
        expected=verdict.Expectation(timeout=150), load=False,
        lab_files={"lib.sh": paths.LAB / "lib.sh", "demo.sh": paths.LAB / "demo.sh"})
    say("building the module and the tool")
    built = artefacts.build(wish.kernel, "needed")
    say(f"booting a guest with {wish.machine.memory} of memory and Linux {built.kernel.release}")
    sinks = session.Sinks(guest.write_all(sys.stdout.buffer), guest.write_all(sys.stderr.buffer),
                          lambda _: None, lambda _: None)
    run, outcome = session.run(wish, built, sinks)
    if outcome.kind != Kind.PASS:
        show_console_end(run.console)
        say(f"the demo failed: {outcome.message}")
        return 1
    print(f"\n-- {len(klog.lines(run.console))} lines of kernel log, no report among them. "
          f"The guest ran for {run.seconds:.0f} s.", flush=True)
    return 0


def _judge_objects(printed: bytes) -> Outcome:
    # pylint: disable=import-outside-toplevel  # only such a case needs their libraries
    import metrics
    import schema

    problems = schema.problems_of_case(printed) + metrics.problems_of_case(printed)
    return Outcome(Kind.FAIL if problems else Kind.PASS, "; ".join(problems))


def _cpu_seconds() -> float:
    """Of every process that this one has waited for: the guest's QEMU is nearly all of it."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _conclude(case: casefile.Case, run: guest.Run, outcome: Outcome) -> int:
    if outcome.kind == case.expect and re.search(case.message, outcome.message):
        if outcome.kind == Kind.PASS:
            print(f"PASS: {case.name}")
        else:
            print(f"PASS: {case.name}: the lab found what it had to: {outcome.message}")
        return 0
    if outcome.kind == Kind.SKIP and case.expect == Kind.PASS:
        print(f"SKIPPED: {case.name}: its last line says why")
        return SKIPPED
    show_console_end(run.console)
    print(f"FAIL: {case.name}: {outcome.kind.value}: {outcome.message}")
    if case.expect != Kind.PASS:
        print(f"      this control has to end as: {case.expect.value} {case.message}".rstrip())
    return 1
