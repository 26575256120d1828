# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034
# Installs the Debian packages that a verb needs and that are missing. Sourced by ./run, which sets
# verb and no_install.
# Never installs a kernel, never upgrades what is there.

# Whether Debian's linux-headers-amd64 is of Linux 6.1 here: installed, or as a Debian 12 would have it.
has_headers_of_6_1() {
  local dependencies
  if dependencies=$(dpkg-query -W -f '${Depends}' linux-headers-amd64 2>/dev/null) &&
    [[ -n $dependencies ]]; then
    [[ $dependencies = *linux-headers-6.1.* ]]
  else
    grep -qs '^VERSION_CODENAME=bookworm$' /etc/os-release
  fi
}

# In a root of its own Debian.
packages_other_kernel=(mmdebstrap util-linux)
# The lab's own kernel, 6.1.
if has_headers_of_6_1; then
  packages_kernel=(linux-headers-amd64)
else
  packages_kernel=("${packages_other_kernel[@]}")
fi
# The tool, the module, and a guest to run them in.
packages_guest=(
  binutils busybox-static cmake e2fsprogs g++ kmod libcli11-dev libc6-dev
  "${packages_kernel[@]}" make nlohmann-json3-dev python3 qemu-system-x86 zlib1g-dev
)
packages_test=(
  "${packages_guest[@]}" g++-multilib genext2fs kexec-tools libgtest-dev linux-perf makedumpfile
  memtester mmdebstrap python3-jsonschema python3-prometheus-client strace stress-ng
)
# On this machine itself, or as packages.
packages_install=(cmake dkms g++ libc6-dev libcli11-dev make nlohmann-json3-dev zlib1g-dev)
packages_deb=(
  "${packages_install[@]}" debhelper dh-dkms dpkg-dev git lintian
)
packages_rpm=(cmake g++ git libc6-dev libcli11-dev make nlohmann-json3-dev rpm tar zlib1g-dev)
packages_test_packages=("${packages_deb[@]}" "${packages_rpm[@]}" "${packages_guest[@]}" mmdebstrap)
packages_soak=("${packages_guest[@]}" stress-ng)
# Built from source.
packages_built_kernel=(bc bison flex gcc libelf-dev make perl xz-utils)
packages_coverage=(gcc gcovr)
packages_bench=("${packages_guest[@]}" python3-matplotlib)
packages_bench_aged=("${packages_guest[@]}" genext2fs mmdebstrap)
packages_bench_scale=(
  cmake g++ libbenchmark-dev libc6-dev libcli11-dev make nlohmann-json3-dev zlib1g-dev
)
packages_model=(gcc libc6-dev python3 spin)
packages_fuzz=(
  clang cmake g++ libc6-dev libclang-rt-14-dev libcli11-dev make nlohmann-json3-dev zlib1g-dev
)
packages_lint=(
  "${packages_test[@]}" clang-format clang-tidy git libbenchmark-dev mandoc perl python3-flake8
  shellcheck sparse xz-utils
)

as_root() {
  if [[ $(id -u) -eq 0 ]]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    echo "run: '$*' needs root, and there is no sudo" >&2
    return 1
  fi
}

missing_packages() {
  local package
  for package in "$@"; do
    # shellcheck disable=SC2016  # dpkg-query expands it
    if [[ $(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null) != ii* ]]; then
      echo "$package"
    fi
  done
}

# apt's lists are fresh enough when one of them was fetched within a day.
lists_are_fresh() {
  [[ -n $(find /var/lib/apt/lists -maxdepth 1 -name '*_*Release' -mmin -1440 -print -quit 2>/dev/null) ]]
}

update_lists() {
  echo "run: apt-get update"
  as_root apt-get -q update >/dev/null
}

install_packages() {
  as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get -q -y --no-install-recommends install "$@" >/dev/null
}

# kexec-tools would have reboots go through kexec, unless it is told not to before it comes.
answer_questions() {
  local package
  for package in "$@"; do
    if [[ $package = kexec-tools ]]; then
      echo "kexec-tools kexec-tools/load_kexec boolean false" | as_root debconf-set-selections
    fi
  done
}

# Before sudo asks, who is asked has read why. verb: what ./run was asked for.
tell_missing() {
  local how="as root"
  [[ $(id -u) -eq 0 ]] || how="with sudo"
  echo "run: ${verb:?} needs Debian packages that are not installed; apt-get installs them, $how:"
  printf '  %s\n' "$@"
}

# need PACKAGE...: they are installed when this returns. With --no-install nothing is: it ends here.
need() {
  local missing
  mapfile -t missing < <(missing_packages "$@")
  if [[ ${#missing[@]} -eq 0 ]]; then
    return 0
  fi
  if [[ ${no_install:-no} = yes ]]; then
    echo "run: ${verb:?} needs Debian packages that are not installed:" >&2
    printf '  %s\n' "${missing[@]}" >&2
    echo "run: 'apt-get install --no-install-recommends ${missing[*]}' as root installs them" >&2
    exit 1
  fi
  tell_missing "${missing[@]}"
  answer_questions "${missing[@]}"
  local updated=no
  if ! lists_are_fresh; then
    update_lists
    updated=yes
  fi
  if install_packages "${missing[@]}"; then
    return 0
  fi
  if [[ $updated = yes ]]; then
    return 1
  fi
  # A list of yesterday may name a version that the mirror no longer has.
  update_lists
  install_packages "${missing[@]}"
}
