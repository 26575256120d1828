# SPDX-License-Identifier: MIT
"""Where the lab finds and puts things. Decides nothing else, builds nothing."""

import os
from pathlib import Path

LAB = Path(__file__).resolve().parent
ROOT = LAB.parent.parent
CASES = LAB / "cases"
BUILD = ROOT / "build"
# What the lab makes of this checkout; what it fetches goes to the cache.
LAB_BUILD = BUILD / "lab"
LOGS = LAB_BUILD / "logs"
FUZZ = LAB_BUILD / "fuzz"
SOAK = LAB_BUILD / "soak"


def cache() -> Path:
    """The folder that outlives a checkout."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "memplug"
