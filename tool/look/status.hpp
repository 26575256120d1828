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

  // Of what is unplugged, what is kept out as bad.
  [[nodiscard]] Bytes quarantined() const {
    Bytes sum;
    for (const HeldRange& held : ranges) {
      sum += held.quarantined ? held.size : Bytes{};
    }
    return sum;
  }
};

// Sizes, nodes and ranges of one moment. Throws Failure if there is none for too long.
[[nodiscard]] Status read_status(Device& device);

}  // namespace memplug
