# SPDX-License-Identifier: MIT
"""Tests the benchmark's arithmetic without a guest: medians, ratios, bounds, order, tables."""

import json
import socket
import tempfile
import threading
import time
import unittest
from pathlib import Path

import aged
import bounds
import figures
import measure
import qemu
import qmp
import table
from outcome import LabError
from scenario import DEVICE, DRIVERS, GIB, INITS, MIB, STATES, TOTAL, order

CONDITIONS = {"kernel": "6.1.0", "qemu": "QEMU 7.2", "cpus": 2, "date": "2026-01-02",
              "accel": "tcg", "load_at_start": 0.5}


def record(driver: str, state: str, init: int, number: int, seconds: float, **changes) -> dict:
    """A measurement that took memory out at an even pace."""
    requested = STATES[state].requested
    steps = [(seconds * 1000 * part / 32, requested / MIB * part / 32) for part in range(1, 33)]
    return {"driver": driver, "state": state, "init": init, "round": number,
            "requested": requested, "reached": requested, "seconds": seconds, "moved": 1000,
            "gap_p999_ms": 10.0, "gap_longest_ms": 20.0, "plug_seconds": 1.0, "missing": 0,
            "time_line": [list(step) for step in steps], "reports": 0, **changes}


def results(*records: dict) -> figures.Results:
    """Results of these records."""
    return figures.Results({"conditions": CONDITIONS, "records": list(records)})


def good_records() -> list[dict]:
    """One round in which memplug keeps every bound by a margin."""
    found = []
    for init in INITS:
        for state in STATES:
            ours = {"survey_ns": 1e6, "missed": 0, "moved": 10}
            found += [record("memplug", state, init, 0, 1.0, **ours),
                      record("memplug-address", state, init, 0, 15.0, **ours),
                      record("virtio-mem", state, init, 0, 20.0, missed=0),
                      record("virtio-balloon", state, init, 0, 10.0)]
        found.append(record("memplug-1", "idle", init, 0, 1.8, survey_ns=1e6))
        found.append(record("buddy-4m", "idle", init, 0, 1.0))
    return found


def not_met(records: list[dict]) -> list[str]:
    """The names of the bounds that these records break."""
    return [verdict.name for verdict in bounds.judge(results(*records)) if not verdict.met]


class Records(unittest.TestCase):
    """What one measurement tells."""

    def test_time_to_is_read_off_the_time_line(self):
        one = record("memplug", "idle", 1, 0, 4.0)
        self.assertAlmostEqual(figures.time_to(one, 1024), 2.0)
        self.assertAlmostEqual(figures.time_to(one, 96), 4.0 * 96 / 2048)
        self.assertEqual(figures.time_to(one, 2048), 4.0)

    def test_what_was_never_reached_takes_for_ever(self):
        one = record("memplug", "idle", 1, 0, 4.0, reached=GIB,
                     time_line=[[100.0, 512.0], [4000.0, 1024.0]])
        self.assertEqual(figures.time_to(one, 1024), 4.0)
        self.assertEqual(figures.time_to(one, 1025), float("inf"))
        self.assertEqual(figures.time_to(one, 2048), float("inf"))

    def test_reached_at_takes_the_last_step_before(self):
        one = record("memplug", "idle", 1, 0, 4.0)
        self.assertEqual(figures.reached_at(one, 0.1), 0.0)
        self.assertEqual(figures.reached_at(one, 2.01), 1024.0)
        self.assertEqual(figures.reached_at(one, 99), 2048.0)

    def test_shares(self):
        one = record("memplug", "sprinkled", 1, 0, 2.0, reached=99 * MIB, missed=MIB, survey_ns=1e8,
                     time_line=[[500.0, 50.0], [2000.0, 99.0]])
        self.assertAlmostEqual(figures.claimable_share(one), 0.99)
        self.assertAlmostEqual(figures.claimable_share(one, 1.0), 0.5)
        self.assertAlmostEqual(figures.survey_share(one), 0.05)
        self.assertIsNone(figures.survey_share(record("virtio-mem", "idle", 1, 0, 1.0)))


class SeriesOfRounds(unittest.TestCase):
    """What several rounds tell together."""

    def test_median_and_spread(self):
        some = results(*(record("memplug", "idle", 1, number, seconds)
                         for number, seconds in enumerate((5.0, 1.0, 2.0))))
        spread = some.series("memplug", "idle", 1).spread("seconds")
        self.assertEqual(spread, figures.Spread(2.0, 1.0, 5.0))
        self.assertIsNone(some.series("memplug", "idle", 0).spread("seconds"))

    def test_failed_rounds_do_not_count_and_are_told(self):
        lost = {"driver": "memplug", "state": "idle", "init": 1, "round": 1, "failed": "no room"}
        short = record("memplug", "idle", 1, 2, 9.0, missing=3 * MIB)
        some = results(record("memplug", "idle", 1, 0, 2.0), lost, short)
        series = some.series("memplug", "idle", 1)
        self.assertEqual(series.median("seconds"), 2.0)
        self.assertEqual(series.failures, ["no room", "3.0 MiB did not come back"])
        text = table.text(some)
        self.assertIn("1 of 3", text)
        self.assertIn("failed in 1 of 3 rounds: no room", text)
        self.assertIn("failed in 1 of 3 rounds: no room", table.markdown(some))

    def test_a_series_that_only_failed_has_its_row(self):
        lost = {"driver": "memplug", "state": "full", "init": 0, "round": 0, "failed": "panic"}
        self.assertIn("0 of 1", table.text(results(lost)))

    def test_the_short_table_tells_what_was_not_reached(self):
        half = record("memplug", "idle", 1, 0, 1.5, moved=262144, reached=GIB,
                      time_line=[[1500.0, 1024.0]])
        lines = table.markdown(results(half, record("virtio-mem", "idle", 1, 0, 8.0))).splitlines()
        row = next(line for line in lines if line.startswith("| 1 | idle | 2048 MiB |"))
        self.assertEqual(row, "| 1 | idle | 2048 MiB | 8 s, 4 MiB | - | "
                              "1.5 s, 1024 MiB, got 1024 MiB | 0.375 |")

    def test_comparison_is_for_what_both_reached(self):
        half = record("memplug", "idle", 1, 0, 1.0, reached=GIB, time_line=[[1000.0, 1024.0]])
        some = results(half, record("virtio-mem", "idle", 1, 0, 8.0))
        ratio = figures.compare(some.series("memplug", "idle", 1),
                                some.series("virtio-mem", "idle", 1))
        self.assertEqual(ratio.mib, 1024)
        self.assertAlmostEqual(ratio.time, 1.0 / 4.0)
        self.assertEqual(ratio.plug, 1.0)

    def test_no_ratio_without_figures_or_over_zero(self):
        some = results(record("memplug", "idle", 1, 0, 1.0))
        ours, none = some.series("memplug", "idle", 1), some.series("virtio-mem", "idle", 1)
        self.assertEqual(figures.compare(ours, none), figures.Comparison(*[None] * 5))
        self.assertIsNone(figures.quotient(1.0, 0))
        self.assertIsNone(figures.compare(none, ours).time)


class Beside(unittest.TestCase):
    """What programs beside the request notice."""

    def test_shares_are_of_what_they_have_alone(self):
        one = record("memplug", "beside", 1, 0, 2.0, alone_stream_mib_s=200.0, stream_mib_s=50.0,
                     plug_stream_mib_s=100.0, alone_stream_longest_ms=4.0, stream_longest_ms=9.0,
                     plug_stream_longest_ms=5.0)
        lines = table.markdown(results(one)).splitlines()
        self.assertIn("| 1 | memplug | 200 | 0.25 | 0.5 | 4 | 9 | 5 |", lines)

    def test_who_was_not_asked_has_no_row(self):
        one = record("memplug", "idle", 1, 0, 2.0)
        self.assertIsNone(figures.stream_share(one, "plug_"))
        self.assertNotIn("| 1 | memplug |", table.markdown(results(one)))

    def test_they_break_no_bound(self):
        slow = record("memplug", "beside", 1, 0, 99.0)
        self.assertEqual(not_met([*good_records(), slow]), [])


class Bounds(unittest.TestCase):
    """Each bound is met by good figures and broken by the figure that it is about."""

    def test_good_figures_meet_all(self):
        self.assertEqual(not_met(good_records()), [])

    def test_nothing_measured_meets_none(self):
        verdicts = bounds.judge(results())
        self.assertTrue(verdicts)
        self.assertFalse(any(verdict.met for verdict in verdicts))

    def broken_by(self, driver: str, state: str, init: int, **changes) -> list[str]:
        """Which bounds break when one measurement is changed."""
        return not_met([{**one, **changes} if (one["driver"], one["state"], one["init"]) ==
                        (driver, state, init) else one for one in good_records()])

    def slowed(self, state: str, init: int, seconds: float) -> list[str]:
        """Which bounds break when memplug takes so long."""
        slow = record("memplug", state, init, 0, seconds)
        return self.broken_by("memplug", state, init, seconds=seconds,
                              time_line=slow["time_line"])

    def test_times(self):
        self.assertIn("idle, init_on_alloc=1: time, memplug / virtio-mem",
                      self.slowed("idle", 1, 11.1))
        for state in ("coarse", "half"):
            for init, seconds in ((1, 5.1), (0, 2.1)):
                where = f"{state}, init_on_alloc={init}: time, memplug"
                broken = self.slowed(state, init, seconds)
                self.assertIn(f"{where} / virtio-mem", broken)
                self.assertIn(f"{where} / memplug-address", broken)
                self.assertIn(f"{where} / virtio-balloon", broken)
        self.assertIn("fine, init_on_alloc=0: time, memplug / virtio-mem",
                      self.slowed("fine", 0, 20.0))
        self.assertIn("full, init_on_alloc=0: time, memplug / virtio-mem",
                      self.slowed("full", 0, 14.1))
        self.assertEqual(self.slowed("full", 0, 13.9), [])

    def test_the_allocator_is_the_limit(self):
        self.assertIn("idle, init_on_alloc=1: time, memplug / buddy-4m",
                      self.slowed("idle", 1, 1.3))
        self.assertNotIn("idle, init_on_alloc=0: time, memplug / buddy-4m",
                         self.slowed("idle", 0, 1.3))

    def test_second_worker(self):
        self.assertEqual(self.slowed("idle", 1, 1.2),
                         ["idle, init_on_alloc=1: time, memplug-1 / memplug"])

    def test_pages_moved(self):
        self.assertEqual(self.broken_by("memplug", "coarse", 1, moved=51),
                         ["coarse, init_on_alloc=1: pages moved, memplug / virtio-mem"])
        self.assertEqual(self.broken_by("memplug", "fine", 0, moved=1000),
                         ["fine, init_on_alloc=0: pages moved, memplug / virtio-mem"])

    def test_survey_pause_and_plug(self):
        self.assertEqual(self.broken_by("memplug", "full", 1, survey_ns=0.06e9),
                         ["full, init_on_alloc=1: survey's share of memplug's time"])
        self.assertEqual(self.broken_by("memplug", "full", 0, survey_ns=0.14e9), [])
        self.assertEqual(self.broken_by("memplug", "half", 0, gap_p999_ms=12.1),
                         ["half, init_on_alloc=0: p99.9 of the pause, memplug / virtio-mem"])
        self.assertEqual(self.broken_by("memplug", "idle", 0, plug_seconds=1.1),
                         ["idle, init_on_alloc=0: time to plug all, memplug / virtio-mem"])

    def test_sprinkled(self):
        where = "sprinkled, init_on_alloc=1"
        slow = self.slowed("sprinkled", 1, 21.0)
        self.assertEqual(slow, [f"{where}: MiB within virtio-mem's time",
                                f"{where}: share of the claimable within virtio-mem's time"])
        missed = self.broken_by("memplug", "sprinkled", 1, missed=100 * MIB)
        self.assertEqual(missed, [f"{where}: share of the claimable within virtio-mem's time",
                                  f"{where}: share of the claimable"])

    def test_less_reached_is_no_win(self):
        broken = self.broken_by("memplug", "coarse", 1, reached=64 * MIB,
                                time_line=[[1.0, 64.0]])
        self.assertIn("coarse, init_on_alloc=1: reached, memplug / virtio-mem", broken)


class Scenario(unittest.TestCase):
    """Machines, order, and what the host is told."""

    def test_each_driver_is_first_in_turn(self):
        names = ["a", "b", "c"]
        rounds = [order(names, number) for number in range(6)]
        self.assertEqual(rounds[0], names)
        self.assertEqual(rounds[1], names[::-1])
        self.assertEqual({turn[0] for turn in rounds[::2]}, set(names))
        self.assertTrue(all(sorted(turn) == names for turn in rounds))

    def test_host_commands(self):
        command, arguments = DRIVERS["virtio-mem"].host_command(GIB)
        self.assertEqual((command, arguments["value"]), ("qom-set", DEVICE - GIB))
        self.assertEqual(DRIVERS["virtio-balloon"].host_command(GIB),
                         ("balloon", {"value": TOTAL - GIB}))
        self.assertRaises(ValueError, DRIVERS["memplug"].host_command, GIB)

    def test_all_guests_have_the_same_memory(self):
        for driver in DRIVERS.values():
            machine = driver.machine(2, 0, Path("socket"))
            line = " ".join(qemu.command(machine, "tcg", Path("k"), Path("i"), []))
            self.assertEqual(qemu.size_in_bytes(machine.memory) + DEVICE, TOTAL, driver.name)
            self.assertIn(f"memory-backend-ram,id=added,size={DEVICE}", line)
            self.assertIn("init_on_alloc=0", line)
            self.assertIn("-qmp unix:socket,server=on,wait=off", line)


class Aged(unittest.TestCase):
    """The tables of guests that have been worked with."""

    @staticmethod
    def of_memplug(number: int, free: int, in_the_way: tuple = (), **changes) -> dict:
        """A guest that had one stage, and was asked for 512 MiB."""
        scan = {"free_size": free * MIB, "movable_size": 20 * MIB, "maybe_size": 0,
                "blocked_size": 8 * MIB, "reasons": [{"reason": "unmovable", "size": 6 * MIB},
                                                     {"reason": "pinned", "size": 2 * MIB}]}
        return {"way": "memplug", "round": number, "minutes": 10, "reports": 0,
                "stages": [{"name": "compile", "scan": scan}, {"name": "forks", "scan": scan,
                                                               "in_the_way": in_the_way}],
                "asked": {str(GIB // 2): {"reached": GIB // 2, "seconds": 1.5, "moved": 512}},
                "offline": {"blocks": 30, "offline": 12, "seconds": 40, "block_bytes": 128 * MIB},
                **changes}

    def test_medians_by_stage_and_reason(self):
        text = aged.report([self.of_memplug(number, free)
                            for number, free in enumerate((100, 300, 200))])
        self.assertIn("| compile | 200 | 20 | 0 | 8 | 2 | 6 |", text)
        self.assertIn("of which pinned | of which unmovable", text)
        self.assertIn("| 512 | 512 | 1.50 | 2 | - | - | - |", text)
        self.assertIn("1536 of 3840 MiB in 40 s", text)

    def test_what_failed_counts_for_nothing_and_is_told(self):
        text = aged.report([self.of_memplug(0, 100),
                            self.of_memplug(1, 900, failed="the guest was not done")])
        self.assertIn("| compile | 100 |", text)
        self.assertIn("memplug, round 1: the guest was not done", text)

    def test_what_is_in_the_way_is_the_median_of_all_guests(self):
        slab = {"page_flags": ["slab", "compound_head"], "subblocks": 9}
        table = {"page_flags": ["pgtable"], "subblocks": 1}
        rows = aged.in_the_way([self.of_memplug(0, 1, (slab, {"page_flags": [], "subblocks": 4})),
                                self.of_memplug(1, 1, (table,)),
                                self.of_memplug(2, 1, (slab,))])
        self.assertEqual(rows[1:], [["slab compound_head", "9"]])

    def test_memory_that_did_not_come_back_makes_a_request_worth_nothing(self):
        text = aged.report([self.of_memplug(0, 100, asked={
            str(GIB // 2): {"reached": GIB, "seconds": 1.0, "moved": 0, "missing": 4 * MIB}})])
        self.assertIn("| 512 | - | - | - | - | - | - |", text)
        self.assertIn("memplug, round 0, 536870912: 4.0 MiB did not come back", text)

    def test_a_guest_that_did_nothing_is_no_good(self):
        stages = [{"name": name, "scan": None, "work": 3} for name in aged.STAGES]
        self.assertIsNone(aged.why_not_good({"stages": stages}))
        self.assertEqual(aged.why_not_good({"stages": stages[1:]}), "no unpack")
        idle = [{**stages[0], "work": 0}, *stages[1:]]
        self.assertEqual(aged.why_not_good({"stages": idle}), "unpack did nothing")
        broken = [{**stages[0], "scan": {"error": {"message": "no device"}}}, *stages[1:]]
        self.assertIn("no device", aged.why_not_good({"stages": broken}))

    def test_a_request_that_was_not_measured_is_told(self):
        text = aged.report([self.of_memplug(2, 100, asked={"1024": {"failed": "no tick"}})])
        self.assertIn("memplug, round 2, 1024: no tick", text)

    def test_nothing_measured_is_no_figure(self):
        text = aged.report([])
        self.assertIn("| 512 | - | - | - | - | - | - |", text)
        self.assertIn("No memory block was tried.", text)

    def test_the_guest_tells_stages_and_results(self):
        listener = aged.Listener(DRIVERS["memplug"], None)
        listener.feed(b'@stage {"name": "booted", "scan": null}\n@state 512\n'
                      b'@result {"seconds": 1}\n@offline {"blocks": 3}\nother\n')
        self.assertEqual(listener.stages, [{"name": "booted", "scan": None}])
        self.assertEqual(listener.results, {"512": {"seconds": 1}})
        self.assertEqual(listener.offline, {"blocks": 3})
        self.assertEqual(listener.other, ["other"])


class Conversation(unittest.TestCase):
    """The guest's lines and QEMU's socket."""

    def serve(self, folder: str, *answers: list[bytes]) -> tuple[Path, list[dict]]:
        """A socket that greets, then answers each command in turn, each in these pieces."""
        path = Path(folder) / "qmp"
        got: list[dict] = []
        server = socket.socket(socket.AF_UNIX)
        server.bind(str(path))
        server.listen(1)

        def run():
            with server, server.accept()[0] as peer:
                peer.sendall(b'{"QMP": {}}\n')
                for answer in answers:
                    got.append(json.loads(peer.recv(65536)))
                    for piece in answer:
                        peer.sendall(piece)
                        time.sleep(0.02)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        self.addCleanup(thread.join, 5)
        return path, got

    def test_commands_pass_over_events(self):
        with tempfile.TemporaryDirectory() as folder:
            path, got = self.serve(folder, [b'{"return": {}}\n'],
                                   [b'{"event": "X"}\n{"ret', b'urn": 5}\n'])
            monitor = qmp.Monitor(path)
            self.addCleanup(monitor.close)
            listener = measure.Listener(DRIVERS["virtio-balloon"], monitor)
            listener.feed(b"@state idle\n@host take 1073")
            listener.feed(b"741824\nother\n@result {\"seconds\": 1}\n")
        self.assertEqual(got[1]["arguments"], {"value": TOTAL - GIB})
        self.assertEqual(listener.results, {"idle": {"seconds": 1}})
        self.assertEqual(listener.other, ["other"])

    def test_a_refused_command_fails_the_state(self):
        with tempfile.TemporaryDirectory() as folder:
            path, _ = self.serve(folder, [b'{"return": {}}\n'],
                                 [b'{"error": {"desc": "no"}}\n'])
            monitor = qmp.Monitor(path)
            self.addCleanup(monitor.close)
            listener = measure.Listener(DRIVERS["virtio-mem"], monitor)
            listener.feed(b"@state idle\n@host take 0\n@result {}\n@state half\n@failed full\n")
        self.assertEqual(listener.results, {"idle": {"failed": "QMP: no"},
                                            "half": {"failed": "full"}})

    def test_no_socket_is_a_lab_error(self):
        self.assertRaises(LabError, qmp.Monitor(Path("/nowhere/qmp")).execute, "stop")


if __name__ == "__main__":
    unittest.main()
