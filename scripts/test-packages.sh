#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Builds the RPM packages, which is as much as can be done with them on Debian. Installs the Debian
# packages in a new Debian 12 and a new Debian 13, sees that all of it works there and that nothing is
# left when they go, and runs a case of the lab with the module and the tool that came out of them.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."

mirror=http://deb.debian.org/debian
security=http://security.debian.org/debian-security
debs=build/deb
results=build/packaging
version=$(<VERSION)

# in_debian SUITE SERIES: the packages, and then a kernel of that series; what such a Debian makes of the packages goes to $results/SUITE.
in_debian() {
  local suite=$1 series=$2 folder=$results/$1
  rm -rf "$folder"
  mkdir -p "$folder"
  echo "test-packages: Debian $suite"
  # Everything happens in hooks, and no file of it is kept but the log and what was built.
  if ! mmdebstrap --quiet --variant=apt --format=null \
    --include=linux-headers-amd64 \
    --customize-hook="mkdir -p \"\$1/debs/newer\"" \
    --customize-hook="sync-in $debs /debs" \
    --customize-hook="sync-in $debs-newer /debs/newer" \
    --customize-hook="mkdir \"\$1/checkout\"" \
    --customize-hook="sync-in $results/checkout /checkout" \
    --customize-hook="upload tests/packaging/in_debian.sh /in_debian.sh" \
    --customize-hook="chroot \"\$1\" sh /in_debian.sh $series" \
    --customize-hook="sync-out /built $folder" \
    "$suite" /dev/null "deb $mirror $suite main" "deb $mirror $suite-backports main" \
    "deb $security $suite-security main" \
    >"$folder/log" 2>&1; then
    tail -n 30 "$folder/log" >&2
    echo "test-packages: it does not work on Debian $suite; all of it is in $folder/log" >&2
    return 1
  fi
  grep -v '^[IW]: ' "$folder/log"
}

scripts/rpm.sh
scripts/deb.sh --output "$debs"
scripts/deb.sh --output "$debs-newer" --version "${version%.*}.$((${version##*.} + 1))"
rm -rf "$results/checkout"
mkdir -p "$results/checkout"
git ls-files -z | xargs -0 cp --parents -t "$results/checkout"
in_debian bookworm 6.12
in_debian trixie 7.3
echo "test-packages: the lab's smoke case, with what Debian bookworm has installed"
exec /usr/bin/python3 -B tests/lab/lab.py case 00-smoke --installed "$results/bookworm"
