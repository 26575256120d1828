# SPDX-License-Identifier: MIT
"""Holds what `memplugctl metrics` prints against Prometheus's own parser."""

import re

from prometheus_client.parser import text_string_to_metric_families

# As a case prints them.
_LINE = re.compile(r"^@metrics (.*)$", re.MULTILINE)


def problems_of_case(stdout: bytes) -> list[str]:
    """What is wrong with the metrics that a case printed."""
    lines = _LINE.findall(stdout.decode(errors="replace"))
    try:
        families = list(text_string_to_metric_families("".join(f"{line}\n" for line in lines)))
    except ValueError as error:
        return [f"metrics: {error}"]
    samples = sum(len(family.samples) for family in families)
    wanted = sum(not line.startswith("#") for line in lines)
    return [] if samples == wanted > 0 else [f"metrics: {samples} samples, {wanted} lines"]
