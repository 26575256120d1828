#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Installs memplug on this machine from the checkout, or takes it away again: the tool, its manual and
# its completions below PREFIX, the module by DKMS. Says each thing that it does.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."
. scripts/packages.sh

usage() {
  cat <<'EOF'
usage: ./run install [--prefix DIR] [--kernel RELEASE]
       ./run uninstall

Installs the tool, its manual, completions, udev rule and systemd unit below DIR (/usr/local), and
the module by DKMS, which builds it for the running kernel, or that of RELEASE, and for each that
comes. uninstall takes all that away, but for /etc/memplug/quarantine, and unloads the module.
EOF
}

fail() {
  echo "$verb: $1" >&2
  exit 1
}

# What was installed, a path a line, so that uninstall needs neither the build nor the same version.
record=/var/lib/memplug/installed
version=$(<VERSION)

reload() {
  if [[ -d /run/systemd/system ]]; then
    as_root systemctl daemon-reload
  fi
  if [[ -S /run/udev/control ]]; then
    as_root udevadm control --reload
  fi
}

# The versions that DKMS knows.
dkms_versions() {
  dkms status -m memplug 2>/dev/null | sed -n 's|^memplug[/,] *\([^,:]*\)[,:].*|\1|p' | sort -u
}

remove_module() {
  local known
  for known in $(dkms_versions); do
    echo "$verb: dkms remove memplug/$known --all"
    as_root dkms remove "memplug/$known" --all >/dev/null
  done
}

remove_files() {
  local path
  [[ -f $record ]] || return 0
  echo "$verb: removing the files that $record has"
  while read -r path; do
    as_root rm -f "$path"
    # And its folder, if it was made for it: one that is empty now, and memplug's own.
    path=$(dirname "$path")
    while [[ $path = *memplug* ]] && as_root rmdir "$path" 2>/dev/null; do
      path=$(dirname "$path")
    done
  done <"$record"
  as_root rm -f "$record"
  # Others' files, as of test --resume, stay.
  as_root rmdir --ignore-fail-on-non-empty "$(dirname "$record")"
}

install_component() {
  DESTDIR='' as_root cmake --install build/release --prefix "$2" --component "$1" >/dev/null
  as_root cat "build/release/install_manifest_$1.txt"
  echo
}

install_all() {
  local component list
  [[ -d /lib/modules/$release/build ]] ||
    fail "there are no headers of Linux $release: apt-get install linux-headers-$release"
  echo "$verb: building the tool"
  cmake --preset release >/dev/null
  cmake --build build/release --target memplugctl -j "$(nproc)" >/dev/null
  # A version that was there before leaves nothing behind.
  remove_module
  remove_files
  list=$(mktemp)
  echo "$verb: installing the tool, its manual, completions, udev rule and unit below $prefix"
  for component in tool dev; do
    install_component "$component" "$prefix" >>"$list"
  done
  echo "$verb: installing the module's source in /usr/src/memplug-$version"
  install_component dkms /usr >>"$list"
  as_root install -D -m 0644 "$list" "$record"
  rm "$list"
  echo "$verb: dkms install memplug/$version for $release"
  as_root dkms install "memplug/$version" -k "$release" >/dev/null
  reload
  echo "$verb: done; 'modprobe memplug' loads the module, 'memplugctl doctor' says whether all is well"
}

uninstall_all() {
  if grep -q '^memplug ' /proc/modules; then
    echo "$verb: unloading the module"
    as_root modprobe -r memplug || fail "the module is in use; 'memplugctl list' tells by what"
  fi
  remove_module
  remove_files
  # Of `memplugctl target --save`: a module that comes later is not to take memory by itself.
  as_root rm -f /etc/modprobe.d/memplug-target.conf
  reload
  if [[ -e /etc/memplug/quarantine ]]; then
    echo "$verb: /etc/memplug/quarantine stays: it says which memory of this machine is bad"
  fi
}

verb=$1
shift
prefix=/usr/local
release=$(uname -r)
while [[ $# -gt 0 ]]; do
  case $1 in
    --prefix) prefix=${2:?--prefix wants a folder}; shift ;;
    --prefix=*) prefix=${1#*=} ;;
    --kernel) release=${2:?--kernel wants a release, as uname -r tells it}; shift ;;
    --kernel=*) release=${1#*=} ;;
    -h | --help) usage; exit ;;
    *) usage >&2; exit 2 ;;
  esac
  shift
done
case $verb in
  install)
    need "${packages_install[@]}"
    install_all
    ;;
  uninstall) uninstall_all ;;
esac
