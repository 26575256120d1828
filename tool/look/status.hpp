// SPDX-License-Identifier: MIT
// All that the module tells of itself, put together.
#pragma once

#include <string>
#include <vector>

#include "memplug/device.hpp"

namespace memplug {

struct Status {
  Info info;
  std::vector<NodeShare> nodes;
  std::vector<HeldRange> ranges;
  Counters counters;
  std::string tool_version;
  std::string kernel;
};

// Sizes, nodes and ranges of one moment. Throws Failure if there is none for too long.
[[nodiscard]] Status read_status(Device& device);

}  // namespace memplug
