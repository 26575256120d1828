# SPDX-License-Identifier: MIT
"""The bounds that the medians are held against, and what became of each. Measures nothing."""

import dataclasses
from collections.abc import Iterator

from figures import Results, Series, claimable_share, compare, quotient, reached_at, survey_share
from scenario import INITS, MIB, STATES

# At most this part of the other's time, by init_on_alloc.
_CHOSEN = {1: 0.25, 0: 0.10}
_BALLOON = {1: 0.5, 0: 0.2}
_SURVEY = {1: 0.05, 0: 0.15}


@dataclasses.dataclass(frozen=True)
class Verdict:
    """One bound, and whether it is met. A bound without figures is not."""

    name: str
    met: bool
    figures: str

    def __str__(self) -> str:
        return f"{'met' if self.met else 'NOT MET':<8} {self.name}: {self.figures}"


def _at_most(name: str, value: float | None, bound: float, strict: bool = False) -> Verdict:
    sign = "below" if strict else "at most"
    if value is None:
        return Verdict(name, False, f"not measured; {sign} {bound:.3g} wanted")
    return Verdict(name, value < bound if strict else value <= bound,
                   f"{value:.3g}, {sign} {bound:.3g} wanted")


def _at_least(name: str, value: float | None, bound: float) -> Verdict:
    if value is None:
        return Verdict(name, False, f"not measured; at least {bound:.3g} wanted")
    return Verdict(name, value >= bound, f"{value:.3g}, at least {bound:.3g} wanted")


def _where(state: str, init: int) -> str:
    return f"{state}, init_on_alloc={init}"


def judge(results: Results) -> list[Verdict]:
    """Every bound, in a fixed order."""
    found: list[Verdict] = []
    for init in INITS:
        for state in STATES.values():
            if state.judged:
                found += _state(results, state.name, init)
    return found


def _state(results: Results, state: str, init: int) -> Iterator[Verdict]:
    where = _where(state, init)
    ours = results.series("memplug", state, init)
    theirs = results.series("virtio-mem", state, init)
    to_device = compare(ours, theirs)
    time = f"{where}: time, memplug / virtio-mem"
    moved = f"{where}: pages moved, memplug / virtio-mem"
    if state == "idle":
        yield from _idle(results, ours, theirs, init)
    if state in ("coarse", "half"):
        yield _at_most(time, to_device.time, _CHOSEN[init])
        yield _at_most(moved, to_device.moved, 0.05)
        address = compare(ours, results.series("memplug-address", state, init))
        yield _at_most(f"{where}: time, memplug / memplug-address", address.time, _CHOSEN[init])
    if state == "fine":
        yield _at_most(time, to_device.time, 1, strict=True)
        yield _at_most(moved, to_device.moved, 1, strict=True)
    if state == "full":
        yield _at_most(time, to_device.time, 0.7)
    if state == "sprinkled":
        yield from _sprinkled(ours, theirs, where)
    if state in ("idle", "coarse", "half"):
        balloon = compare(ours, results.series("virtio-balloon", state, init))
        yield _at_most(f"{where}: time, memplug / virtio-balloon", balloon.time, _BALLOON[init])
    if state != "sprinkled":
        # Times are compared for what both reached.
        yield _at_least(f"{where}: reached, memplug / virtio-mem",
                        quotient(ours.median("reached"), theirs.median("reached")), 1)
    yield _at_most(f"{where}: survey's share of memplug's time", ours.median(survey_share),
                   _SURVEY[init])
    yield _at_most(f"{where}: p99.9 of the pause, memplug / virtio-mem", to_device.pause, 1.2)


def _idle(results: Results, ours: Series, theirs: Series, init: int) -> Iterator[Verdict]:
    where = _where("idle", init)
    comparison = compare(ours, theirs)
    if init == 1:
        yield _at_most(f"{where}: time, memplug / virtio-mem", comparison.time, 0.55)
        single = compare(results.series("memplug-1", "idle", init), ours)
        yield _at_least(f"{where}: time, memplug-1 / memplug", single.time, 1.6)
        limit = compare(ours, results.series("buddy-4m", "idle", init))
        yield _at_most(f"{where}: time, memplug / buddy-4m", limit.time, 1.2)
    yield _at_most(f"{where}: time to plug all, memplug / virtio-mem", comparison.plug, 1)


def _sprinkled(ours: Series, theirs: Series, where: str) -> Iterator[Verdict]:
    limit = theirs.median("seconds")
    in_time = None if limit is None else ours.median(lambda record: reached_at(record, limit))
    wanted = theirs.median("reached")
    name = f"{where}: MiB within virtio-mem's time"
    if in_time is None or wanted is None:
        yield Verdict(name, False, "not measured")
    else:
        yield Verdict(name, in_time >= wanted / MIB,
                      f"{in_time:.0f} after {limit:.2f} s, at least {wanted / MIB:.0f} wanted")
    # The kernel's own pages of boot are in memplug's ZONE_NORMAL and not in the device's memory:
    # the same question, of what could be had at all.
    share = None if limit is None else ours.median(
        lambda record: claimable_share(record, limit))
    theirs_share = theirs.median(claimable_share)
    yield _at_least(f"{where}: share of the claimable within virtio-mem's time", share,
                    1 if theirs_share is None else theirs_share)
    yield _at_least(f"{where}: share of the claimable", ours.median(claimable_share), 0.99)
