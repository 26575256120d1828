// SPDX-License-Identifier: MIT
// All that the module tells of itself, put together.
#pragma once

#include "memplug/device.hpp"
#include "report/report.hpp"

namespace memplug {

// Sizes, nodes and ranges of one moment. Throws Failure if there is none for too long.
[[nodiscard]] Status read_status(Device& device);

}  // namespace memplug
