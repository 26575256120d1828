# SPDX-License-Identifier: MIT
"""What `memplugctl metrics` prints is what Prometheus's own parser takes.

The output is the unit tests' golden file: they see to it that the tool prints just that.
"""

import re
import unittest
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

GOLDEN = Path(__file__).parent.parent / "unit" / "golden" / "metrics.txt"


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


if __name__ == "__main__":
    unittest.main()
