# SPDX-License-Identifier: MIT
"""The results as tables, in plain text and in Markdown. Every measurement that failed is told."""

from collections import Counter

from figures import (Results, Series, Spread, claimable_share, compare, stream_share,
                     survey_share)
from scenario import DRIVERS, INITS, MIB, REFERENCES, STATES

_SHORT_DRIVERS = ("virtio-mem", "virtio-balloon", "memplug")
_SHORT = ("init_on_alloc", "state", "request", *_SHORT_DRIVERS, "memplug's time / virtio-mem's")
_SHORT_TITLE = "In short: seconds, and MiB moved; medians"
_PAGES_PER_MIB = 256
_FIGURES = ("init", "state", "driver", "rounds", "seconds", "MiB", "s to 1.5 GiB", "pages moved",
            "pause p99.9 ms", "longest ms", "plug s", "plug: longest ms")
_RATIOS = ("init", "state", "ratio of", "for MiB", "time", "pages moved", "pause p99.9", "plug")
_BESIDE = ("init", "driver", "MiB/s alone", "share while memory is taken",
           "while it is given back", "longest ms alone", "taken", "given back")
_OWN = ("init", "state", "driver", "claims", "failed claims", "survey's share", "of claimable")


def number(value: float | None) -> str:
    """Three digits that count; '-' where there is nothing."""
    if value is None:
        return "-"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _spread(spread: Spread | None) -> str:
    if spread is None:
        return "-"
    if spread.least == spread.most:
        return number(spread.median)
    return f"{number(spread.median)} ({number(spread.least)}..{number(spread.most)})"


def _mib(record: dict) -> float | None:
    return record["reached"] / MIB if "reached" in record else None


def _figures_row(series: Series) -> list[str]:
    cells = [_spread(series.spread(value)) for value in (
        "seconds", _mib, "seconds_to_1536m", "moved", "gap_p999_ms", "gap_longest_ms",
        "plug_seconds", "plug_gap_longest_ms")]
    if series.state in REFERENCES:
        cells[0] = "-"
    return [str(series.init), series.state, series.driver,
            f"{len(series.good)} of {len(series.records)}", *cells]


def _short_cell(series: Series) -> str:
    seconds, moved = series.median("seconds"), series.median("moved")
    if seconds is None or moved is None:
        return "-"
    reached = series.median(_mib)
    # What is less than asked for is told, as the time alone says nothing then.
    got = "" if reached == STATES[series.state].requested / MIB else f", got {reached:.0f} MiB"
    return f"{number(seconds)} s, {moved / _PAGES_PER_MIB:.0f} MiB{got}"


def _short_rows(results: Results) -> list[list[str]]:
    rows = []
    for init in INITS:
        for state in STATES:
            series = {name: results.series(name, state, init) for name in _SHORT_DRIVERS}
            if any(one.records for one in series.values()):
                rows.append([str(init), state, f"{STATES[state].requested >> 20} MiB",
                             *map(_short_cell, series.values()),
                             number(compare(series["memplug"], series["virtio-mem"]).time)])
    return rows


def _ratio_rows(results: Results) -> list[list[str]]:
    rows = []
    for init in INITS:
        for state in STATES:
            ours = results.series("memplug", state, init)
            for name in DRIVERS:
                other = results.series(name, state, init)
                if name == ours.driver or not ours.records or not other.records:
                    continue
                ratio = compare(ours, other)
                rows.append([str(init), state, f"memplug / {name}", *map(number, (
                    ratio.mib, ratio.time, ratio.moved, ratio.pause, ratio.plug))])
    return rows


def _own_rows(results: Results) -> list[list[str]]:
    return [[str(series.init), series.state, series.driver,
             *(_spread(series.spread(value)) for value in (
                 "claims", "claims_failed", survey_share, claimable_share))]
            for series in results.all()
            if series.spread("claims") or series.spread(claimable_share)]


def _beside_rows(results: Results) -> list[list[str]]:
    return [[str(series.init), series.driver, *(_spread(series.spread(value)) for value in (
        "alone_stream_mib_s", lambda record: stream_share(record, ""),
        lambda record: stream_share(record, "plug_"), "alone_stream_longest_ms",
        "stream_longest_ms", "plug_stream_longest_ms"))]
            for series in results.all() if series.spread("alone_stream_mib_s")]


def failures(results: Results) -> list[str]:
    """One line for each reason in each series."""
    return [f"init_on_alloc={series.init}, {series.state}, {series.driver}: failed in {times} of "
            f"{len(series.records)} rounds: {reason}"
            for series in results.all() for reason, times in Counter(series.failures).items()]


def _reported(results: Results) -> list[str]:
    counts = {(series.driver, series.init): max(record.get("reports", 0)
                                                for record in series.records)
              for series in results.all()}
    return [f"init_on_alloc={init}, {driver}: up to {count} reports in a guest's kernel log"
            for (driver, init), count in counts.items() if count]


def conditions(results: Results) -> str:
    """One line: where and when."""
    told = results.conditions
    return (f"Linux {told['kernel']}, {told['cpus']} CPUs, {told['accel']}, {told['qemu']}, "
            f"{told['date']}, load average of the host at the start {told['load_at_start']:.1f}")


def _tables(results: Results) -> list[tuple[str, tuple[str, ...], list[list[str]]]]:
    return [(_SHORT_TITLE, _SHORT, _short_rows(results)),
            ("Medians (least..most)", _FIGURES, [_figures_row(series) for series in results.all()]),
            ("Ratios of medians; the time is to what both reached", _RATIOS,
             _ratio_rows(results)),
            ("Programs on every CPU that read and write memory (beside)", _BESIDE,
             _beside_rows(results)),
            ("Claims", _OWN, _own_rows(results))]


def text(results: Results) -> str:
    """For a terminal."""
    parts = [conditions(results)]
    for title, head, rows in _tables(results):
        widths = [max(len(row[i]) for row in [list(head), *rows]) for i in range(len(head))]
        parts.append("\n".join([f"{title}:", *(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip()
            for row in [list(head), *rows])]))
    notes = failures(results) + _reported(results)
    return "\n\n".join(parts + (["\n".join(notes)] if notes else []))


def markdown(results: Results) -> str:
    """For the documentation."""
    parts = ["<!-- SPDX-License-Identifier: MIT -->", conditions(results)]
    for title, head, rows in _tables(results):
        lines = [head, ["---"] * len(head), *rows]
        parts.append(f"### {title}\n\n" + "\n".join(f"| {' | '.join(line)} |" for line in lines))
    notes = failures(results) + _reported(results)
    if notes:
        parts.append("\n".join(f"- {note}" for note in notes))
    return "\n\n".join(parts) + "\n"
