// SPDX-License-Identifier: MIT
// Opens the device node for real use.
#pragma once

#include <chrono>
#include <string>

#include "device.hpp"

namespace memplug {

// Throws Failure with the next step if the node can't be opened, or if what is behind it is not a
// module that this tool can talk to.
[[nodiscard]] Device open_device(const std::string& path, Access access);

// poll() for input: 0 when there is some, else an errno; ETIMEDOUT when the time has passed.
[[nodiscard]] int wait_for_input(int descriptor, std::chrono::milliseconds timeout);

}  // namespace memplug
