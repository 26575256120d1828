// SPDX-License-Identifier: MIT
#include "machine/slab_reclaim.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <string_view>
#include <thread>

#include "file_descriptor.hpp"
#include "memplug/failure.hpp"

namespace memplug {
namespace {

// Of vm.drop_caches: reclaimable slab objects, and not the page cache.
constexpr std::string_view slab_objects = "2\n";

// Dentries and inodes are freed some time after they were dropped, when nobody can look at them any
// more: after an RCU grace period, which takes tens of milliseconds.
constexpr std::chrono::milliseconds grace_period{200};

FileDescriptor open_setting(const std::string& path) {
  return FileDescriptor(::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY));
}

}  // namespace

void SlabReclaim::require() const {
  if (!open_setting(path_).is_open()) {
    throw Failure(
        errno, "--reclaim-slab: cannot write " + path_,
        "run it as root where /proc/sys is writable, or leave --reclaim-slab out; nothing "
        "was unplugged");
  }
}

int SlabReclaim::reclaim() const {
  const FileDescriptor setting = open_setting(path_);
  if (!setting.is_open()) {
    return errno;
  }
  const ssize_t written = ::write(setting.number(), slab_objects.data(), slab_objects.size());
  if (written < 0) {
    return errno;
  }
  if (written != static_cast<ssize_t>(slab_objects.size())) {
    return EIO;
  }
  std::this_thread::sleep_for(grace_period);
  return 0;
}

}  // namespace memplug
