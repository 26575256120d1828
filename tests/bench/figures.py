# SPDX-License-Identifier: MIT
"""Medians, spreads and ratios of what was measured. Reads no file, judges nothing."""

import dataclasses
import math
import statistics
from collections.abc import Callable

from scenario import DRIVERS, INITS, MIB, REFERENCES, STATES


def time_to(record: dict, mib: float) -> float:
    """Seconds until so much was out, along the record's time line; infinite if it never was."""
    if mib * MIB >= record["requested"]:
        return record["seconds"] if record["reached"] >= record["requested"] else math.inf
    before_ms, before_mib = 0.0, 0.0
    for at_ms, out_mib in record["time_line"]:
        if out_mib >= mib:
            share = (mib - before_mib) / (out_mib - before_mib)
            return (before_ms + share * (at_ms - before_ms)) / 1000
        before_ms, before_mib = at_ms, out_mib
    return math.inf


def reached_at(record: dict, seconds: float) -> float:
    """MiB that were out after so many seconds."""
    return max((out for at, out in record["time_line"] if at <= seconds * 1000), default=0.0)


def claimable_share(record: dict, seconds: float = math.inf) -> float | None:
    """What was reached, by then, of all that could have been had; None if it was not counted."""
    if "missed" not in record:
        return None
    reached = min(record["reached"], reached_at(record, seconds) * MIB)
    return reached / (record["reached"] + record["missed"])


def survey_share(record: dict) -> float | None:
    """The part of the request's time that went into looking at pages; memplug tells it."""
    if "survey_ns" not in record:
        return None
    return record["survey_ns"] / (record["seconds"] * 1e9)


def stream_share(record: dict, when: str) -> float | None:
    """Bandwidth of the programs beside it, of what they have alone; when: "" or "plug_"."""
    return quotient(record.get(f"{when}stream_mib_s"), record.get("alone_stream_mib_s"))


@dataclasses.dataclass(frozen=True)
class Spread:
    """A median and what it lies between."""

    median: float
    least: float
    most: float


@dataclasses.dataclass(frozen=True)
class Series:
    """All rounds of one driver in one state at one value of init_on_alloc."""

    driver: str
    state: str
    init: int
    records: tuple[dict, ...]

    @property
    def good(self) -> list[dict]:
        """Those that were measured, and after which all memory came back."""
        return [record for record in self.records if not failure(record)]

    @property
    def failures(self) -> list[str]:
        """Why the others were not."""
        return [reason for record in self.records if (reason := failure(record))]

    def spread(self, value: str | Callable[[dict], float | None]) -> Spread | None:
        """Of a field, or of a function of a record. None: no round has it."""
        get = value if callable(value) else lambda record: record.get(value)
        found = [got for record in self.good if (got := get(record)) is not None]
        if not found:
            return None
        return Spread(statistics.median(found), min(found), max(found))

    def median(self, value: str | Callable[[dict], float | None]) -> float | None:
        """The same without what it lies between; None also if it is infinite."""
        spread = self.spread(value)
        return spread.median if spread and math.isfinite(spread.median) else None


def failure(record: dict) -> str | None:
    """Why this record tells nothing."""
    if "failed" in record:
        return record["failed"] or "failed without a reason"
    if record.get("missing"):
        return f"{record['missing'] / MIB:.1f} MiB did not come back"
    return None


class Results:
    """Everything that was measured, by driver, state and init_on_alloc."""

    def __init__(self, data: dict):
        self.conditions: dict = data["conditions"]
        self._records: list[dict] = data["records"]

    def series(self, driver: str, state: str, init: int) -> Series:
        """Empty if it was not measured."""
        key = (driver, state, init)
        return Series(*key, tuple(record for record in self._records if key ==
                                  (record["driver"], record["state"], record["init"])))

    def all(self) -> list[Series]:
        """Those that were to be measured, in the order of the scenario."""
        every = [self.series(driver, state, init) for init in INITS
                 for state in (*REFERENCES, *STATES) for driver in DRIVERS]
        return [series for series in every if series.records]


def quotient(upper: float | None, lower: float | None) -> float | None:
    """None where there is no ratio."""
    return upper / lower if upper is not None and lower else None


@dataclasses.dataclass(frozen=True)
class Comparison:
    """One driver over another, medians: below 1 it was better.

    mib: the amount that the time is taken for; both reached it.
    """

    mib: float | None
    time: float | None
    moved: float | None
    pause: float | None
    plug: float | None


def compare(one: Series, other: Series) -> Comparison:
    """The time is to the smaller of the two amounts that they reached in the median."""
    amounts = (one.median("reached"), other.median("reached"))
    mib = None if None in amounts else min(amounts) / MIB
    return Comparison(
        mib,
        None if not mib else quotient(one.median(lambda record: time_to(record, mib)),
                                      other.median(lambda record: time_to(record, mib))),
        quotient(one.median("moved"), other.median("moved")),
        quotient(one.median("gap_p999_ms"), other.median("gap_p999_ms")),
        quotient(one.median("plug_seconds"), other.median("plug_seconds")))
