# SPDX-License-Identifier: MIT
"""What `memplugctl metrics` prints is what Prometheus's own parser takes, and what the unit in
contrib/ makes of it is that, too, whatever becomes of the module.

The output is the unit tests' golden file: they see to it that the tool prints just that. MEMPLUGCTL
names the binary.
"""

import configparser
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

TOOL = os.environ["MEMPLUGCTL"]
ROOT = Path(__file__).parent.parent.parent
GOLDEN = ROOT / "tests/unit/golden/metrics.txt"
UNIT = ROOT / "contrib/memplug-metrics.service"
ALERTS = ROOT / "contrib/prometheus/memplug-alerts.yml"
DASHBOARD = ROOT / "contrib/grafana/memplug-dashboard.json"


def check_with_promtool(test: unittest.TestCase, text: str) -> None:
    """Prometheus's own judgement, where it is installed."""
    if shutil.which("promtool"):
        result = subprocess.run(["promtool", "check", "metrics"], input=text, text=True, timeout=60,
                                capture_output=True, check=False)
        test.assertEqual((result.returncode, result.stdout, result.stderr), (0, "", ""))


class Metrics(unittest.TestCase):
    def setUp(self):
        self.text = GOLDEN.read_text(encoding="utf-8")
        self.families = list(text_string_to_metric_families(self.text))

    def test_every_line_is_taken(self):
        samples = [line for line in self.text.splitlines() if not line.startswith("#")]
        self.assertGreater(len(samples), 20)
        self.assertEqual(sum(len(family.samples) for family in self.families), len(samples))

    def test_names_types_and_help(self):
        for family in self.families:
            self.assertRegex(family.name, r"^memplug_[a-z_]+$")
            self.assertIn(family.type, ("gauge", "counter"), family.name)
            self.assertTrue(family.documentation, family.name)
            for sample in family.samples:
                # The parser drops the ending of a counter's family.
                self.assertEqual(sample.name.endswith("_total"), family.type == "counter")

    def test_units_are_base_units(self):
        for family in self.families:
            self.assertNotRegex(family.name, r"_(pages|kib|mib|ms|us|ns|percent)(_|$)")
        names = {family.name for family in self.families}
        self.assertIn("memplug_managed_bytes", names)
        self.assertIn("memplug_claim_seconds", names)

    def test_nodes_have_a_label(self):
        for name in ("memplug_managed_bytes", "memplug_unplugged_bytes"):
            family = next(family for family in self.families if family.name == name)
            self.assertTrue(family.samples)
            for sample in family.samples:
                self.assertEqual(list(sample.labels), ["node"])
                self.assertTrue(re.fullmatch(r"\d+", sample.labels["node"]))

    def test_promtool_has_nothing_to_say(self):
        check_with_promtool(self, self.text)

    def test_they_say_that_memplug_is_there(self):
        self.assertTrue(self.text.startswith("# HELP memplug_up "))
        self.assertIn("\nmemplug_up 1\n", self.text)


class Watching(unittest.TestCase):
    """What contrib/ makes of the figures."""

    def names(self) -> set[str]:
        golden = GOLDEN.read_text(encoding="utf-8")
        # A target and another driver have one only while there is one.
        return set(re.findall(r"^# TYPE (\S+)", golden, re.MULTILINE)) | {
            "memplug_target_bytes", "memplug_other_driver"}

    def test_the_alerts_go_by_figures_that_there_are(self):
        text = re.sub(r"^ *#.*$", "", ALERTS.read_text(encoding="utf-8"), flags=re.MULTILINE)
        used = set(re.findall(r"\bmemplug_[a-z_]+\b", text))
        self.assertGreater(len(used), 5)
        self.assertEqual(used - self.names(), set())

    def test_prometheus_takes_the_alerts(self):
        if not shutil.which("promtool"):
            self.skipTest("promtool, of Debian's package prometheus, is not installed")
        for words in (["check", "rules", ALERTS],
                      ["test", "rules", ROOT / "tests/prometheus/alerts_test.yml"]):
            result = subprocess.run(["promtool", *words], timeout=60, capture_output=True,
                                    text=True, check=False)
            self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def test_the_dashboard_shows_figures_that_there_are(self):
        dashboard = json.loads(DASHBOARD.read_text(encoding="utf-8"))
        used = set()
        for panel in dashboard["panels"]:
            for target in panel["targets"]:
                used |= set(re.findall(r"\bmemplug_[a-z_]+\b", target["expr"]))
        # What it leaves out is said of a machine once, and does not change.
        self.assertEqual(self.names() - used,
                         {"memplug_info", "memplug_subblock_bytes", "memplug_other_driver"})
        self.assertEqual(used - self.names(), set())

    def test_panels_do_not_lie_on_each_other(self):
        taken = set()
        panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
        self.assertEqual(len({panel["id"] for panel in panels}), len(panels))
        for panel in panels:
            place = panel["gridPos"]
            self.assertLessEqual(place["x"] + place["w"], 24)
            cells = {(x, y) for x in range(place["x"], place["x"] + place["w"])
                     for y in range(place["y"], place["y"] + place["h"])}
            self.assertFalse(cells & taken, panel["title"])
            taken |= cells


class Unit(unittest.TestCase):
    """What the unit runs, with its file in a folder of this test's and a memplugctl that is a
    script."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.file = self.folder / "memplug.prom"
        golden = GOLDEN.read_text(encoding="utf-8")
        self.down = "".join(golden.splitlines(keepends=True)[:2]) + "memplug_up 0\n"
        self.file.write_text("memplug_old 1\n", encoding="utf-8")

    def run_unit(self, memplugctl: str) -> int:
        unit = configparser.RawConfigParser(strict=False)
        unit.optionxform = str
        unit.read(UNIT)
        # A line that ends in a backslash goes on in the next, which systemd joins with a blank.
        line = unit["Service"]["ExecStart"].replace("\\\n", " ")
        target = "/var/lib/prometheus/node-exporter"
        self.assertEqual(unit["Service"]["ReadWritePaths"], target)
        self.assertIn(target, line)
        tool = self.folder / "memplugctl"
        tool.write_text(f"#!/bin/sh\n{memplugctl}\n", encoding="utf-8")
        tool.chmod(0o755)
        return subprocess.run(
            shlex.split(line.replace(target, str(self.folder))), check=False, timeout=60,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PATH": f"{self.folder}:{os.environ['PATH']}"}).returncode

    def contents(self) -> str:
        """Of the file, beside which nothing may be left."""
        self.assertEqual({path.name for path in self.folder.iterdir()} - {"seen"},
                         {"memplugctl", "memplug.prom"})
        return self.file.read_text(encoding="utf-8")

    def test_figures(self):
        self.assertEqual(self.run_unit(f'[ "$*" = metrics ] && cat {shlex.quote(str(GOLDEN))}'), 0)
        self.assertEqual(self.contents(), GOLDEN.read_text(encoding="utf-8"))

    def test_no_module(self):
        self.assertEqual(self.run_unit(f'exec {shlex.quote(TOOL)} --device /nonexistent/x "$@"'), 0)
        self.assertEqual(self.contents(), self.down)
        samples = [sample for family in text_string_to_metric_families(self.down)
                   for sample in family.samples]
        self.assertEqual([(sample.name, sample.value) for sample in samples], [("memplug_up", 0)])
        check_with_promtool(self, self.down)

    def test_it_runs_without_the_device(self):
        self.assertNotIn("Condition", UNIT.read_text(encoding="utf-8"))
        self.assertNotIn("Assert", UNIT.read_text(encoding="utf-8"))

    def test_half_of_the_figures_are_none(self):
        for end in ("exit 1", "kill -KILL $$"):
            with self.subTest(end):
                self.assertEqual(self.run_unit(f"echo half; {end}"), 0)
                self.assertEqual(self.contents(), self.down)

    def test_the_file_changes_at_once(self):
        script = f"echo half; cp {self.file} {self.folder}/seen; echo rest"
        self.assertEqual(self.run_unit(script), 0)
        self.assertEqual((self.folder / "seen").read_text(encoding="utf-8"), "memplug_old 1\n")
        self.assertEqual(self.contents(), "half\nrest\n")

    def test_what_can_not_be_written_leaves_nothing_old(self):
        (self.folder / "memplug.prom.new").symlink_to("/dev/full")
        self.assertNotEqual(self.run_unit("echo all || exit 1"), 0)
        self.assertEqual([path.name for path in self.folder.iterdir()], ["memplugctl"])


if __name__ == "__main__":
    unittest.main(argv=sys.argv)
