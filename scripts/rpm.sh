#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Builds the RPM packages from the files that git knows. Changes nothing but build/rpm.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."

if [[ $# -gt 0 ]]; then
  echo "usage: ./run rpm   RPM packages, in build/rpm/RPMS"
  [[ $1 = -h || $1 = --help ]] && exit
  exit 2
fi

version=$(<VERSION)
output=$PWD/build/rpm
rm -rf "$output"
mkdir -p "$output/SOURCES"
git ls-files -z | tar --create --gzip --null --files-from=- --transform "s|^|memplug-$version/|" \
  --file "$output/SOURCES/memplug-$version.tar.gz"
log=$output/build.log
echo "rpm: building memplug $version in $output"
# --nodeps: elsewhere than on Fedora the packages that it wants have other names.
if ! rpmbuild -bb --nodeps --define "_topdir $output" --define "memplug_version $version" \
  rpm/memplug.spec >"$log" 2>&1; then
  tail -n 40 "$log" >&2
  echo "rpm: rpmbuild failed; all that it said is in $log" >&2
  exit 1
fi
find "$output/RPMS" -name '*.rpm'
