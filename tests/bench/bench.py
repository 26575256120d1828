# SPDX-License-Identifier: MIT
"""The benchmark's command line: measures, or reports what was measured. Computes nothing itself."""

import argparse
import datetime
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import accel
import arch
import artefacts
import bounds
import figures
import guest
import kernels
import ledger
import measure
import paths
import table
from outcome import HOST_SETUP_STATUS, LabError, say
from scenario import DRIVERS, INITS, STATES, order


def _names(text: str, known: list[str]) -> list[str]:
    names = text.split(",")
    for name in names:
        if name not in known:
            raise argparse.ArgumentTypeError(f"'{name}' is none of {', '.join(known)}")
    return [name for name in known if name in names]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="run bench", allow_abbrev=False,
        description="Compares memplug with virtio-mem and virtio-balloon in QEMU guests.")
    parser.add_argument("--rounds", type=int, default=5, metavar="N",
                        help="how often everything is measured (default 5)")
    parser.add_argument("--drivers", type=lambda text: _names(text, list(DRIVERS)),
                        default=list(DRIVERS), metavar="A,B", help=", ".join(DRIVERS))
    parser.add_argument("--states", type=lambda text: _names(text, list(STATES)),
                        default=list(STATES), metavar="A,B", help=", ".join(STATES))
    parser.add_argument("--init", choices=("0", "1", "both"), default="both",
                        help="init_on_alloc of the guests' kernel")
    parser.add_argument("--smp", type=int, default=2, metavar="N", help="CPUs (default 2)")
    parser.add_argument("--quiet", type=float, default=6, metavar="S",
                        help="a driver that got nothing for so long is stuck (default 6 s)")
    parser.add_argument("--out", type=Path, default=paths.BUILD / "bench", metavar="DIR",
                        help="for results.json, results.md and chart.svg (default build/bench)")
    parser.add_argument("--report", type=Path, metavar="FILE",
                        help="measure nothing: table and chart of an earlier results.json")
    parser.add_argument("--check", action="store_true",
                        help="hold the medians against the bounds; status 1 if one is not met")
    return parser


def _conditions(options: argparse.Namespace, built: artefacts.Built) -> dict:
    version = subprocess.run([arch.here().qemu, "--version"], capture_output=True, text=True,
                             check=True).stdout.splitlines()[0]
    return {"kernel": built.kernel.release, "qemu": version, "cpus": options.smp,
            "date": datetime.date.today().isoformat(),
            "accel": accel.choose(built.kernel.image), "quiet_seconds": options.quiet,
            "host_cpus": os.cpu_count(), "load_at_start": os.getloadavg()[0]}


def _measure(options: argparse.Namespace) -> dict:
    built = artefacts.build(kernels.default(), "bench")
    results = {"conditions": _conditions(options, built), "records": []}
    inits = INITS if options.init == "both" else (int(options.init),)
    for number in range(options.rounds):
        for name in order(options.drivers, number):
            driver = DRIVERS[name]
            states = [state for state in options.states if state in driver.states]
            for init in inits if states else ():
                say(f"round {number + 1} of {options.rounds}: {name}, init_on_alloc={init}")
                results["records"] += measure.run_guest(
                    driver, states, init, number, options.smp, options.quiet, built)
                measure.save(options.out / "results.json", results)
    return results


def _note(options: argparse.Namespace, data: dict, seconds: float):
    failed = sum("failed" in record for record in data["records"])
    ledger.note("bench", data["conditions"]["kernel"], seconds,
                f"{len(data['records'])} measured, {failed} failed",
                f"{options.rounds} rounds of {', '.join(options.states)}")


def _report(options: argparse.Namespace, data: dict) -> int:
    # Here, so that a measurement needs no chart's library before its end.
    import chart
    results = figures.Results(data)
    print(table.text(results))
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "results.md").write_text(table.markdown(results), encoding="utf-8")
    chart.draw(results, options.out / "chart.svg")
    say(f"results.md and chart.svg are in {options.out}")
    if not options.check:
        return 0
    verdicts = bounds.judge(results)
    print("\nBounds:", *verdicts, sep="\n")
    return 0 if all(verdict.met for verdict in verdicts) else 1


def main() -> int:
    """Measures if that is wanted, and reports."""
    guest.end_on_signals()
    options = _parser().parse_args()
    try:
        if options.report:
            return _report(options, json.loads(options.report.read_text(encoding="utf-8")))
        began = time.monotonic()
        data = _measure(options)
        seconds = time.monotonic() - began
        status = _report(options, data)
        _note(options, data, seconds)
        return status
    except (LabError, subprocess.CalledProcessError, OSError) as error:
        say(str(error))
        return HOST_SETUP_STATUS
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
