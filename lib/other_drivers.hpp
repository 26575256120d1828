// SPDX-License-Identifier: MIT
// Other drivers that take memory out of this machine or put it back, as sysfs shows them.
#pragma once

#include <string>
#include <vector>

#include "memplug/device.hpp"

namespace memplug {

// Those at work, each once, in the order of the enumeration; sysfs is where it is mounted. A driver
// that is loaded and has no device is not at work. Takes no privilege, and no lock of a device or
// driver. What can't be read is not at work, as far as is known.
[[nodiscard]] std::vector<OtherDriver> drivers_at_work(const std::string& sysfs);

}  // namespace memplug
