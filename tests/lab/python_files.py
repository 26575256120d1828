# SPDX-License-Identifier: MIT
"""What Python needs of this machine's standard library to run a script in a guest."""

import json
import subprocess
from pathlib import Path

# Where it finds them with PYTHONHOME=/lab/python.
HOME = "python"
_PYTHON = "/usr/bin/python3"
_IMPORTS = "array, fcntl, mmap, os, struct, sys"
_SCRIPT = f"""
import {_IMPORTS}, json
print(json.dumps([sys.prefix, sorted({{module.__file__ for module in list(sys.modules.values())
                                      if getattr(module, "__file__", None)}})]))
"""


def files() -> dict[str, Path]:
    """Files by their name at /lab: the modules that are loaded once these are imported."""
    # -I -S: nothing of what has been installed beside.
    result = subprocess.run([_PYTHON, "-I", "-S", "-c", _SCRIPT], capture_output=True, text=True,
                            check=True)
    prefix, paths = json.loads(result.stdout)
    return {f"{HOME}/{Path(path).relative_to(prefix)}": Path(path) for path in paths
            if Path(path).is_relative_to(prefix)}
