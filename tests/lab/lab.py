# SPDX-License-Identifier: MIT
"""The lab's command line: guest, shell, demo, case, fuzz, setup. Only takes arguments apart."""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

import artefacts
import coverage
import fuzz
import guest
import kernels
import ledger
import matrix
import mutants
import paths
import qemu
import session
import soak
import suite
import verdict
from outcome import EXIT_STATUS, HOST_SETUP_STATUS, Kind, LabError, say

_STATUS_HELP = "exit status: the command's own, or " + ", ".join(
    f"{status} {kind.value}" for kind, status in EXIT_STATUS.items()) \
    + f", {HOST_SETUP_STATUS} the guest could not be built"


def _wish(options: argparse.Namespace, command: list[str], interactive: bool) -> session.Wish:
    for path in options.given:
        if not path.is_file():
            raise LabError(f"--with {path}: no such file")
    return session.Wish(
        command=command,
        machine=qemu.Machine(options.mem, options.numa, options.smp, options.append),
        expected=verdict.Expectation(timeout=getattr(options, "timeout", 0),
                                     leave_unplugged=True),
        kernel=options.kernel, load=not options.no_module, module_args=options.module_args,
        disk=options.disk, given=tuple(options.given), interactive=interactive,
        kernel_modules=tuple(filter(None, options.modules.split(","))),
        lab_files={"lib.sh": paths.LAB / "lib.sh"})


def _guest(options: argparse.Namespace) -> int:
    if not options.command:
        options.parser.error("a command is missing: guest [OPTIONS] -- COMMAND...")
    wish = _wish(options, options.command, interactive=False)
    built = artefacts.build(options.kernel, "native", module=not options.no_module)
    sinks = session.Sinks(guest.write_all(sys.stdout.buffer), guest.write_all(sys.stderr.buffer),
                          lambda _: None, say if options.show_command else lambda _: None)
    run, outcome = session.run(wish, built, sinks)
    if outcome.kind in (Kind.PASS, Kind.FAIL, Kind.SKIP):
        return outcome.status
    say(outcome.message)
    suite.show_console_end(run.console)
    return EXIT_STATUS[outcome.kind]


def _shell(options: argparse.Namespace) -> int:
    size = shutil.get_terminal_size()
    start = f"stty rows {size.lines} cols {size.columns}; exec sh -l"
    wish = _wish(options, ["sh", "-c", start], interactive=True)
    built = artefacts.build(options.kernel, "native", module=not options.no_module)
    return session.run_shell(wish, built, say if options.show_command else lambda _: None)


def _case(options: argparse.Namespace) -> int:
    # ctest that is ended does not end its tests.
    guest.end_with_parent()
    return suite.run_case(options.name, options.built, options.installed, options.subblock_size)


def _demo(_options: argparse.Namespace) -> int:
    return suite.run_demo()


def _setup(options: argparse.Namespace) -> int:
    built = artefacts.build(options.kernel, options.programs)
    for path in (*built.modules, built.tool):
        print(f"lab: built {path.relative_to(paths.ROOT)} (Linux {built.kernel.release})"
              if path.suffix == ".ko" else f"lab: built {path.relative_to(paths.ROOT)}")
    return 0


def _check_module(options: argparse.Namespace) -> int:
    found = artefacts.check_module(kernels.default(), options.how)
    print("\n".join(found))
    return 1 if found else 0


def _add_guest_options(parser: argparse.ArgumentParser):
    parser.add_argument("--kernel", default=kernels.default(), choices=list(kernels.KERNELS))
    parser.add_argument("--mem", default="6G", metavar="SIZE", help="memory (default 6G)")
    parser.add_argument("--numa", type=int, default=1, metavar="N", help="nodes (default 1)")
    parser.add_argument("--smp", type=int, default=2, metavar="N", help="CPUs (default 2)")
    parser.add_argument("--append", default="", metavar="ARGS", help="kernel arguments to add")
    parser.add_argument("--disk", metavar="SIZE", help="an empty ext4 disk at /mnt")
    parser.add_argument("--modules", default="", metavar="A,B",
                        help="the kernel's own modules to load first")
    parser.add_argument("--module-args", default="", metavar="ARGS",
                        help="memplug's parameters, e.g. floor=3G")
    parser.add_argument("--no-module", action="store_true",
                        help="do not build and load the module")
    parser.add_argument("--with", dest="given", action="append", default=[], type=Path,
                        metavar="FILE", help="a file to put at /with/ in the guest; repeatable")
    parser.add_argument("--show-command", action="store_true", help="print the QEMU line")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="run", allow_abbrev=False)
    verbs = parser.add_subparsers(dest="verb", required=True)

    one = verbs.add_parser("guest", allow_abbrev=False, epilog=_STATUS_HELP,
                           help="boot a guest with the module loaded and run a command in it")
    _add_guest_options(one)
    one.add_argument("--timeout", type=float, default=120, metavar="S",
                     help="seconds until the guest is killed, boot included (default 120)")
    one.add_argument("command", nargs="*", metavar="COMMAND")
    one.set_defaults(handler=_guest, parser=one)

    shell = verbs.add_parser("shell", allow_abbrev=False,
                             help="boot a guest with a console on this terminal")
    _add_guest_options(shell)
    shell.set_defaults(handler=_shell)

    case = verbs.add_parser("case", help="run one case of tests/lab/cases")
    case.add_argument("name")
    case.add_argument("--built", action="store_true",
                      help="take what 'setup --programs all' has built as it is")
    case.add_argument("--installed", type=Path, metavar="DIR",
                      help="with the memplug.ko and memplugctl there, instead of those built here")
    case.add_argument("--subblock-size", default="", metavar="SIZE",
                      help="with this parameter of the module, beside the case's own")
    case.set_defaults(handler=_case)

    demo = verbs.add_parser("demo", help="watch a guest lose and regain memory")
    demo.set_defaults(handler=_demo)

    fuzzing = verbs.add_parser("fuzz", allow_abbrev=False,
                               help="fuzz the module's ioctls in a guest")
    fuzz.add_options(fuzzing)
    fuzzing.set_defaults(handler=fuzz.run)
    soaking = verbs.add_parser("soak", allow_abbrev=False,
                               help="everything at once in one guest, for as long as you like")
    soak.add_options(soaking)
    soaking.set_defaults(handler=soak.run)

    setup = verbs.add_parser("setup", help="build what the guests need")
    setup.add_argument("--kernel", default=kernels.default(), choices=list(kernels.KERNELS))
    setup.add_argument("--programs", choices=("needed", "native", "all"), default="native")
    setup.set_defaults(handler=_setup)

    tests = verbs.add_parser("matrix", allow_abbrev=False,
                             help="run the lab's tests on each kernel")
    tests.add_argument("--build", required=True, type=Path, help=argparse.SUPPRESS)
    tests.add_argument("--central", action="store_true",
                       help="only those that every change of the module owes on every kernel")
    tests.add_argument("--tests", metavar="REGEX", help="only tests with such a name")
    tests.add_argument("--module-args", default=os.environ.get("MEMPLUG_MODULE_ARGS", ""),
                       metavar="ARGS", help="parameters with which the module is loaded each time, "
                                            "unless a case has the same (default: "
                                            "$MEMPLUG_MODULE_ARGS)")
    tests.add_argument("kernels", nargs="*", metavar="KERNEL", type=kernels.check_name,
                       help=f"which ones: {', '.join(kernels.KERNELS)} (default: all)")
    tests.set_defaults(handler=matrix.run)

    bugs = verbs.add_parser("mutants", help="put bugs in and see that a test catches each")
    bugs.add_argument("names", nargs="*", metavar="NAME", help="only these (default: all)")
    bugs.set_defaults(handler=mutants.run)

    runs = verbs.add_parser("runs", help="what was run, and what came of it")
    runs.add_argument("--keep", action="store_true",
                      help="add these to docs/runs.jsonl, and make docs/runs.md anew")
    runs.add_argument("--check", action="store_true", help="is docs/runs.md made from that?")
    runs.set_defaults(handler=ledger.run)

    report = verbs.add_parser("coverage", help="report what of the module has run")
    report.set_defaults(handler=coverage.run)

    check = verbs.add_parser("check-module", help="print what the compiler or sparse warns of")
    check.add_argument("how", choices=list(artefacts.CHECKS))
    check.set_defaults(handler=_check_module)
    return parser


def main() -> int:
    """Runs the verb."""
    guest.end_on_signals()
    options = _parser().parse_args()
    try:
        return options.handler(options)
    except (LabError, subprocess.CalledProcessError, OSError) as error:
        say(str(error))
        return HOST_SETUP_STATUS
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
