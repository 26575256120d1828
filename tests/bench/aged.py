# SPDX-License-Identifier: MIT
"""How much memory comes back from a guest that has been worked with: by memplug, by virtio-mem, and
by taking whole memory blocks offline. Goes on where an earlier run was ended."""

import argparse
import hashlib
import json
import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import artefacts
import figures
import guest
import kernels
import klog
import measure
import paths
import qmp
import session
import verdict
from outcome import HOST_SETUP_STATUS, Kind, LabError, say
from scenario import DEVICE, DRIVERS, GIB, MIB

WAYS = ("memplug", "virtio-mem")
# Tools to work with, and sources to work on.
PACKAGES = ("gcc", "git", "glibc-source", "libc6-dev", "make", "sqlite3", "xz-utils")
ASKED = (GIB // 2, GIB, 2 * GIB, DEVICE)
# As aged.sh calls them.
STAGES = ("unpack", "compile", "history", "database", "names", "cache", "forks")
# As aged.sh calls them: the last again, after each of these.
HELPED = {"again": "all, once more", "compacted": "all, after compact_memory",
          "reclaimed": "all, after drop_caches=2, too"}
# Boot, and what is asked for at the end, each until it gets no further.
_OTHER_SECONDS = 1500
_QUIET_SECONDS = 15


class Listener(measure.Listener):
    """Keeps what the guest tells of its stages, too."""

    def __init__(self, driver, monitor: qmp.Monitor):
        super().__init__(driver, monitor)
        self.stages: list[dict] = []
        self.offline: dict | None = None

    def _line(self, line: str):
        kind, _, rest = line.partition(" ")
        if kind == "@stage":
            self.stages.append(json.loads(rest))
            say(f"{rest[:60]}...")
        elif kind == "@offline":
            self.offline = json.loads(rest)
        else:
            super()._line(line)


def run_guest(way: str, number: int, minutes: float, built: artefacts.Built) -> dict:
    """One guest's record."""
    driver = DRIVERS[way]
    seconds = int(minutes * 60)
    lab_files = measure.lab_files(driver, built)
    lab_files["aged.sh"] = Path(__file__).parent / "aged.sh"

    def wish(socket: Path) -> session.Wish:
        return session.Wish(
            command=["sh", "/lab/aged.sh", driver.kind, str(seconds), str(_QUIET_SECONDS),
                     *map(str, ASKED)],
            # Where what programs have run from is zeroed, an emulator takes minutes for it, and how
            # much comes back is the same.
            machine=driver.machine(2, 0, socket),
            expected=verdict.Expectation(seconds + _OTHER_SECONDS, added_mib=driver.added_mib),
            load=False, system=True, system_packages=PACKAGES,
            kernel_modules=driver.kernel_modules, lab_files=lab_files)

    listener, run, outcome, _ = measure.listen_to(
        wish, lambda monitor: Listener(driver, monitor), built, f"aged-{way}-round{number}")
    record = {"way": way, "round": number, "minutes": minutes, "stages": listener.stages,
              "asked": {size: listener.results.get(str(size), {"failed": "no answer"})
                        for size in (*map(str, ASKED), *HELPED)},
              "offline": listener.offline, "reports": len(klog.reports(run.console)),
              **conditions(built)}
    if failed := outcome.message if outcome.kind != Kind.PASS else why_not_good(record):
        record["failed"] = failed
        say(f"{way}, round {number}: {failed}")
    return record


def conditions(built: artefacts.Built) -> dict:
    """What has to be the same in all that is compared."""
    module = next(path for path in built.modules if path.name == "memplug.ko")
    return {"kernel": built.kernel.release,
            "module": hashlib.sha256(module.read_bytes()).hexdigest()[:12]}


def why_not_good(record: dict) -> str | None:
    """Of a guest that has come to its end."""
    for stage in record["stages"]:
        if stage["scan"] and "error" in stage["scan"]:
            return f"after {stage['name']} scan failed: {stage['scan']['error']['message']}"
        if stage["name"] in STAGES and not stage["work"]:
            return f"{stage['name']} did nothing"
    missing = set(STAGES) - {stage["name"] for stage in record["stages"]}
    return f"no {', '.join(sorted(missing))}" if missing else None


def median(records: list[dict], get: Callable[[dict], float | None]) -> float | None:
    """Of those that have it."""
    found = [value for record in records if (value := get(record)) is not None]
    return statistics.median(found) if found else None


def stage_of(record: dict, name: str) -> dict | None:
    """What was told after this stage."""
    return next((stage for stage in record["stages"] if stage["name"] == name), None)


def scanned(name: str, value: Callable[[dict], float]) -> Callable[[dict], float | None]:
    """A figure of the module's own forecast after a stage."""
    def get(record: dict) -> float | None:
        stage = stage_of(record, name)
        return value(stage["scan"]) if stage and stage["scan"] else None
    return get


def reason_size(reason: str) -> Callable[[dict], float]:
    """How much is in the way for this reason."""
    return lambda scan: sum(entry["size"] for entry in scan["reasons"]
                            if entry["reason"] == reason)


def _mib(value: float | None) -> str:
    return "-" if value is None else f"{value / MIB:.0f}"


def _stage_rows(records: list[dict]) -> list[list[str]]:
    ours = [record for record in records if record["way"] == "memplug"]
    names = list(dict.fromkeys(stage["name"] for record in ours for stage in record["stages"]))
    reasons = sorted({entry["reason"] for record in ours for stage in record["stages"]
                      if stage["scan"] for entry in stage["scan"]["reasons"]})
    rows = [["after", "free", "in use, can be moved", "maybe", "can't be had",
             *(f"of which {reason}" for reason in reasons)]]
    for name in names:
        keys = ("free_size", "movable_size", "maybe_size", "blocked_size")
        rows.append([name, *(_mib(median(ours, scanned(name, lambda scan, key=key: scan[key])))
                             for key in keys),
                     *(_mib(median(ours, scanned(name, reason_size(reason))))
                       for reason in reasons)])
    return rows


def _work_rows(records: list[dict]) -> list[list[str]]:
    rows = [["stage", *WAYS]]
    for name in STAGES:
        rows.append([name, *(f"{value:.0f}" if value is not None else "-" for value in (
            median([record for record in records if record["way"] == way],
                   lambda record, name=name: (stage_of(record, name) or {}).get("work"))
            for way in WAYS))])
    return rows


def in_the_way(records: list[dict]) -> list[list[str]]:
    """What the first page in the way is, subblocks, median by its flags, after the last stage."""
    counts: dict[str, list[int]] = {}
    found = [stage_of(record, "forks") for record in records if record["way"] == "memplug"]
    for number, stage in enumerate(stage for stage in found if stage):
        for entry in stage["in_the_way"]:
            of_flags = counts.setdefault(" ".join(entry["page_flags"]) or "none", [])
            of_flags += [0] * (number - len(of_flags)) + [entry["subblocks"]]
    whole = len([stage for stage in found if stage])
    medians = {flags: statistics.median(of + [0] * (whole - len(of)))
               for flags, of in counts.items()}
    return [["flags of the first page in the way", "subblocks"],
            *([flags, f"{nr:.0f}"] for flags, nr in sorted(medians.items(), key=lambda one: -one[1])
              if nr)]


def _asked_value(size: str, key: str) -> Callable[[dict], float | None]:
    def get(record: dict) -> float | None:
        answer = record["asked"].get(size, {})
        return None if figures.failure(answer) else answer.get(key)
    return get


def _asked_rows(records: list[dict]) -> list[list[str]]:
    rows = [["asked for, MiB", *(head for way in WAYS
                                 for head in (f"{way}: got", "seconds", "MiB moved"))]]
    for size in (*map(str, ASKED), *HELPED):
        row = [HELPED.get(size) or f"{int(size) / MIB:.0f}"]
        for way in WAYS:
            of_way = [record for record in records if record["way"] == way]
            seconds = median(of_way, _asked_value(size, "seconds"))
            moved = median(of_way, _asked_value(size, "moved"))
            row += [_mib(median(of_way, _asked_value(size, "reached"))),
                    "-" if seconds is None else f"{seconds:.2f}",
                    _mib(None if moved is None else moved * 4096)]
        rows.append(row)
    return rows


def _offline_line(records: list[dict]) -> str:
    told = [record["offline"] for record in records if record["offline"]]
    if not told:
        return "No memory block was tried."
    went = statistics.median(one["offline"] * one["block_bytes"] for one in told)
    tried = statistics.median(one["blocks"] * one["block_bytes"] for one in told)
    seconds = statistics.median(one["seconds"] for one in told)
    return (f"Memory blocks that went offline, one by one: {_mib(went)} of {_mib(tried)} MiB in "
            f"{seconds:.0f} s.")


def _markdown(rows: list[list[str]]) -> str:
    head, *rest = rows
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *rest])


def report(records: list[dict]) -> str:
    """Both tables, and what failed."""
    good = [record for record in records if "failed" not in record]
    parts = ["MiB of ZONE_NORMAL after each stage, by the forecast of `scan`; medians",
             _markdown(_stage_rows(good)),
             "How often each stage did its work (unpack: files); medians",
             _markdown(_work_rows(good)),
             "What it is, by /proc/kpageflags, after all stages; medians",
             _markdown(in_the_way(good)),
             "Taken out at the end; medians", _markdown(_asked_rows(good)), _offline_line(good)]
    parts += [f"{record['way']}, round {record['round']}: {record['failed']}"
              for record in records if "failed" in record]
    parts += [f"{record['way']}, round {record['round']}, {size}: {why}"
              for record in good for size, answer in record["asked"].items()
              if (why := figures.failure(answer))]
    return "\n\n".join(parts) + "\n"


def _ways(text: str) -> list[str]:
    names = text.split(",")
    for name in names:
        if name not in WAYS:
            raise argparse.ArgumentTypeError(f"'{name}' is none of {', '.join(WAYS)}")
    return names


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="run bench-aged", allow_abbrev=False, description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, metavar="N",
                        help="how often everything is measured (default 3)")
    parser.add_argument("--ways", type=_ways, default=list(WAYS), metavar="A,B",
                        help=f"{', '.join(WAYS)} (default both, one after the other)")
    parser.add_argument("--minutes", type=float, default=10, metavar="N",
                        help="how long a guest is worked with (default 10)")
    parser.add_argument("--out", type=Path, default=paths.BUILD / "aged", metavar="DIR",
                        help="for results-WAY.json and results.md (default build/aged)")
    return parser


def _results(options: argparse.Namespace, way: str) -> Path:
    # A file each, so that one run may be at one and another run at the other.
    return options.out / f"results-{way}.json"


def _load(options: argparse.Namespace, way: str) -> list[dict]:
    """What was measured so far."""
    source = _results(options, way)
    return json.loads(source.read_text(encoding="utf-8")) if source.exists() else []


def _measure(options: argparse.Namespace) -> list[dict]:
    built = artefacts.build(kernels.default(), "bench")
    for number in range(options.rounds):
        for way in options.ways if number % 2 == 0 else options.ways[::-1]:
            wanted = {"round": number, "minutes": options.minutes, **conditions(built)}
            earlier = [one for one in _load(options, way) if one["round"] == number]
            if any("failed" not in one and wanted.items() <= one.items() for one in earlier):
                continue
            # What was measured under other conditions is nothing to compare with.
            records = [one for one in _load(options, way) if one not in earlier]
            say(f"round {number + 1} of {options.rounds}: {way}")
            records.append(run_guest(way, number, options.minutes, built))
            measure.save(_results(options, way), records)
    wanted = {"minutes": options.minutes, **conditions(built)}
    return [record for way in WAYS for record in _load(options, way)
            if wanted.items() <= record.items()]


def main() -> int:
    """Measures what is not there yet, and reports."""
    guest.end_on_signals()
    options = _parser().parse_args()
    try:
        records = _measure(options)
        text = report(records)
    except (LabError, subprocess.CalledProcessError, OSError) as error:
        say(str(error))
        return HOST_SETUP_STATUS
    except KeyboardInterrupt:
        return 130
    (options.out / "results.md").write_text(f"<!-- SPDX-License-Identifier: MIT -->\n\n{text}",
                                            encoding="utf-8")
    print(text)
    return 1 if any("failed" in record for record in records) else 0


if __name__ == "__main__":
    sys.exit(main())
