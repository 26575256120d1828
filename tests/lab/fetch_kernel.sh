#!/bin/sh
# SPDX-License-Identifier: MIT
# fetch_kernel.sh SERIES ARCHITECTURE: inside a new Debian root, installs the headers of the newest kernel of a series, with a compiler,
# and downloads the packages that hold its image and its modules to /kernel.
set -eu

series=$1
arch=$2
export DEBIAN_FRONTEND=noninteractive
release=$(apt-cache pkgnames "linux-headers-$series." |
	sed -n "s/^linux-headers-\($series\.[0-9.]*\(-[0-9]*\)\?\(+deb[0-9]*\)\?-$arch\)\$/\1/p" |
	sort -V | tail -n 1)
[ -n "$release" ] || {
	echo "this Debian has no linux-headers-$series.*-$arch" >&2
	exit 1
}
mkdir /kernel
echo "$release" >/kernel/release
# A backport may need others: apt takes them from where the kernel is if it has to.
apt-get -q -y --no-install-recommends install "linux-headers-$release" make binutils
cd /kernel
# One that is not signed says so in its name; newer ones are in two parts.
apt-get -q download "linux-image-$release-unsigned" ||
	apt-get -q download "linux-binary-$release" "linux-modules-$release"
apt-get clean
