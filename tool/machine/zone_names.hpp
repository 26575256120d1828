// SPDX-License-Identifier: MIT
// Which zones memory is in, as the kernel's files tell it: to say where it is that memplug can't
// take it from.
#pragma once

#include <string>
#include <vector>

#include "memplug/quantity.hpp"

namespace memplug {

class ZoneNames {
 public:
  // Where /proc and /sys are: tests give it a root of their own.
  explicit ZoneNames(std::string root) : root_(std::move(root)) {}

  // "ZONE_MOVABLE"; empty: it is not told, or the memory block is of several.
  [[nodiscard]] std::string of_address(PhysAddr address) const;
  // Those that have memory, in the kernel's order.
  [[nodiscard]] std::vector<std::string> of_node(int node) const;

 private:
  std::string root_;
};

}  // namespace memplug
