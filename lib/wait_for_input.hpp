// SPDX-License-Identifier: MIT
// poll() for input, with a deadline.
#pragma once

#include <chrono>

namespace memplug {

// 0 when there is some, else an errno; ETIMEDOUT when the time has passed, EINTR after a signal.
[[nodiscard]] int wait_for_input(int descriptor, std::chrono::milliseconds timeout);

}  // namespace memplug
