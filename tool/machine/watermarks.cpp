// SPDX-License-Identifier: MIT
// Reads a setting and writes the same bytes back.
#include "machine/watermarks.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "file_descriptor.hpp"
#include "memplug/failure.hpp"
#include "words/prose.hpp"

namespace memplug {
namespace {

// 0 or an errno.
int rewrite(const std::string& path) {
  const FileDescriptor file(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOCTTY));
  if (!file.is_open()) {
    return errno;
  }
  std::array<char, 64> value{};
  const ssize_t length = ::pread(file.number(), value.data(), value.size(), 0);
  if (length < 0) {
    return errno;
  }
  const auto size = static_cast<std::size_t>(length);
  if (size == 0 || size == value.size()) {
    // Not the number that it is to be, or only a part of it.
    return EINVAL;
  }
  const ssize_t written = ::pwrite(file.number(), value.data(), size, 0);
  if (written < 0) {
    return errno;
  }
  return written == length ? 0 : EIO;
}

}  // namespace

void Watermarks::recompute(std::string_view verb, Output& output) const {
  const int error_number = rewrite(path_);
  if (!output.style.verbose || output.style.quiet) {
    return;
  }
  output.prose << prose_line(
      verb,
      error_number == 0
          ? "rewrote " + path_ +
                " with its own value, so that the kernel recomputes the "
                "zones' watermarks"
          : with_reason("the zones keep the watermarks of their old size: cannot rewrite " + path_,
                        error_number) +
                " (" + errno_name(error_number) + ")");
}

}  // namespace memplug
