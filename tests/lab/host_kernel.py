# SPDX-License-Identifier: MIT
"""The kernel whose headers are installed on this machine: its image, fetched into the cache."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import arch
import kernel_files
from outcome import LabError, say

_SERIES = "6.1"


def _headers() -> str:
    """The metapackage that names the current ones."""
    return f"linux-headers-{arch.here().debian}"


def _installed(package: str, field: str) -> str:
    """A field of an installed package, '' if it is not installed."""
    result = subprocess.run(
        ["dpkg-query", "-W", "-f", f"${{db:Status-Abbrev}}${{{field}}}", package],
        capture_output=True, text=True, check=False)
    text = result.stdout
    return text[3:].strip() if result.returncode == 0 and text.startswith("ii") else ""


def _headers_release() -> str:
    """The release that the metapackage brought headers of, '' if that is of another series."""
    match = re.search(rf"linux-headers-(\S+?-{arch.here().debian})\b",
                      _installed(_headers(), "Depends"))
    return match.group(1) if match and match.group(1).startswith(f"{_SERIES}.") else ""


def is_here() -> bool:
    """Whether this machine has headers of the series, as a Debian 12 has."""
    return bool(_headers_release())


def _release() -> tuple[str, str]:
    """(release, package version) of the headers that are installed."""
    release = _headers_release()
    if not release:
        raise LabError(f"{_headers()} is not installed for kernel {_SERIES}")
    version = _installed(f"linux-headers-{release}", "Version")
    if not version:
        raise LabError(f"linux-headers-{release} is not installed; "
                       f"apt-get install linux-headers-{release}")
    return release, version


def get() -> tuple[str, Path]:
    """(release, folder)."""
    release, version = _release()
    package = f"linux-image-{release}"

    def fetch(scratch: Path):
        say(f"downloading {package} {version} (unpacked in the cache, not installed)")
        archive = download(f"{package}={version}", scratch)
        tree = scratch / "tree"
        subprocess.run(["dpkg-deb", "-x", archive, tree], check=True)
        boot = tree / "boot"
        kernel_files.keep(boot / f"vmlinuz-{release}", boot / f"config-{release}",
                          tree / "lib/modules" / release, scratch)
        shutil.rmtree(tree)
        archive.unlink()

    return release, kernel_files.cached(
        kernel_files.kernels_folder() / f"{release}_{version}", fetch,
        kernel_files.has_wanted_modules)


def download(package: str, folder: Path) -> Path:
    """Downloads a package's archive into a folder, refreshing apt's lists if it is not known."""
    command = ["apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", package]
    first = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if first.returncode != 0:
        _update_lists()
        second = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if second.returncode != 0:
            raise LabError(f"apt-get can't download {package}:\n{second.stderr.strip()}\n"
                           "If the installed headers are older than what the mirror has, "
                           f"upgrade them: apt-get install {_headers()}")
    return next(folder.glob("*.deb"))


def _update_lists():
    update = ["apt-get", "-q", "update"]
    if os.geteuid() != 0:
        if not shutil.which("sudo"):
            return
        update = ["sudo", *update]
    say(f"{' '.join(update)} (the package is not in apt's lists)")
    subprocess.run(update, stdout=subprocess.DEVNULL, check=False)
