#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Prints the folder of the kernel's checkpatch.pl; fetches it into the cache if it is not there.
# Debian has it in the kernel's source package only: that is downloaded, three files are kept.
set -euo pipefail

package=linux-source-6.1
cache=${XDG_CACHE_HOME:-$HOME/.cache}/memplug
folder=$cache/checkpatch-6.1

if [[ ! -d $folder ]]; then
  mkdir -p "$cache"
  scratch=$(mktemp -d -p "$cache")
  trap 'rm -rf "$scratch"' EXIT
  echo "lint: downloading $package for its checkpatch.pl (139 MB, not installed)" >&2
  (cd "$scratch" && apt-get -q -o APT::Sandbox::User=root download "$package" >/dev/null)
  mkdir "$scratch/keep"
  dpkg-deb --fsys-tarfile "$scratch"/*.deb |
    tar -xO "./usr/src/$package.tar.xz" |
    tar -xJ -C "$scratch/keep" --strip-components=2 \
      "$package"/scripts/{checkpatch.pl,spelling.txt,const_structs.checkpatch}
  # Whoever comes second keeps what is there.
  mv -T "$scratch/keep" "$folder" 2>/dev/null || [[ -d $folder ]]
fi
echo "$folder"
