// SPDX-License-Identifier: MIT
// The wait on a descriptor.
#include "wait_for_input.hpp"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <limits>

namespace memplug {

int wait_for_input(int descriptor, std::chrono::milliseconds timeout) {
  pollfd polled{descriptor, POLLIN, 0};
  const auto longest = std::chrono::milliseconds{std::numeric_limits<int>::max()};
  const auto wait = std::clamp(timeout, std::chrono::milliseconds{0}, longest);
  const int ready = ::poll(&polled, 1, static_cast<int>(wait.count()));
  if (ready < 0) {
    return errno;
  }
  if (ready == 0) {
    return ETIMEDOUT;
  }
  return (polled.revents & POLLIN) != 0 ? 0 : EIO;
}

}  // namespace memplug
