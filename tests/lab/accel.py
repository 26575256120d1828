# SPDX-License-Identifier: MIT
"""Decides between KVM and software emulation, once a boot of this machine.

/dev/kvm may exist and still be useless: under some nested hypervisors a stock kernel sits in
its own decompressor for minutes. So a real kernel has to get through its boot in seconds.
"""

import os
import subprocess
from pathlib import Path

import arch
import paths
import qemu
from outcome import LabError

PROBE_SECONDS = 8


def choose(image: Path) -> str:
    """'kvm' or 'tcg'; MEMPLUG_ACCEL forces either."""
    forced = os.environ.get("MEMPLUG_ACCEL", "")
    if forced:
        if forced not in ("kvm", "tcg"):
            raise LabError(f"MEMPLUG_ACCEL is '{forced}'; it may be kvm or tcg")
        return forced
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return "tcg"
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    memory = paths.cache() / "accel"
    try:
        known_boot, answer = memory.read_text(encoding="ascii").split()
        if known_boot == boot and answer in ("kvm", "tcg"):
            return answer
    except (FileNotFoundError, ValueError):
        pass
    answer = "kvm" if _kvm_works(image) else "tcg"
    memory.parent.mkdir(parents=True, exist_ok=True)
    memory.write_text(f"{boot} {answer}\n", encoding="ascii")
    return answer


def _kvm_works(image: Path) -> bool:
    # Without an initramfs the kernel comes as far as its root file system and gives up there.
    line = qemu.base_command("kvm") + [
        "-m", "512M", "-serial", "stdio", "-kernel", str(image),
        "-append", f"console={arch.here().console} panic=-1"]
    try:
        probe = subprocess.run(line, stdin=subprocess.DEVNULL, capture_output=True,
                               timeout=PROBE_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return False
    return b"Unable to mount root fs" in probe.stdout
