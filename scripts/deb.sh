#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Builds the Debian packages from the files that git knows, and has lintian look at them. Changes
# nothing but the folder that they go to.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."

usage() {
  echo "usage: ./run deb [--output DIR]   Debian packages, in DIR (build/deb)"
}

version=$(<VERSION)
output=build/deb
while [[ $# -gt 0 ]]; do
  case $1 in
    --output) output=${2:?--output wants a folder}; shift ;;
    # For tests of upgrades.
    --version) version=${2:?--version wants a version}; shift ;;
    -h | --help) usage; exit ;;
    *) usage >&2; exit 2 ;;
  esac
  shift
done

rm -rf "$output"
tree=$output/memplug-$version
mkdir -p "$tree"
git ls-files -z | xargs -0 cp --parents -t "$tree"
echo "$version" >"$tree/VERSION"
sed -i "1s/(.*)/($version)/" "$tree/debian/changelog"
log=$output/build.log
echo "deb: building memplug $version in $tree"
if ! (cd "$tree" && dpkg-buildpackage --build=binary --no-sign) >"$log" 2>&1; then
  tail -n 40 "$log" >&2
  echo "deb: dpkg-buildpackage failed; all that it said is in $log" >&2
  exit 1
fi
rm -r "$tree"
echo "deb: lintian"
lintian --fail-on error,warning --display-info "$output"/*.changes
ls "$output"/*.deb
