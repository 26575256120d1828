// SPDX-License-Identifier: MIT
// Opens the device node for real use.
#pragma once

#include <string>

#include "device.hpp"

namespace memplug {

inline constexpr const char* default_device = "/dev/memplug";

// Throws Failure with the next step, in words for people at a shell, if the node can't be opened
// (Access::Write takes root), or if what is behind it is not a module that speaks this ABI version:
// ENOTTY, EPROTONOSUPPORT.
[[nodiscard]] Device open_device(const std::string& path, Access access);

}  // namespace memplug
