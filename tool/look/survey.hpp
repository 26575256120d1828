// SPDX-License-Identifier: MIT
// What a survey of memory comes to: judges and adds up what the module told. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "memplug/device.hpp"

namespace memplug {

// What trying to take a plugged subblock would come to, as far as can be seen.
enum class Outlook {
  Free,     // all of it is free
  Movable,  // pages of it have to be moved
  Maybe,    // something is in the way that may go away
  Blocked   // something is in the way that does not
};

// Of a plugged one.
[[nodiscard]] Outlook outlook_of(const Stretch& stretch);
// "maybe"
[[nodiscard]] std::string_view outlook_name(Outlook outlook);

struct Run {
  int node = 0;
  Range range;
};

// All sizes are of whole subblocks, but to_move.
struct SurveySums {
  Bytes plugged;
  Bytes unplugged;
  Bytes busy;
  Bytes free;
  Bytes movable;
  Bytes maybe;
  Bytes blocked;
  Bytes to_move;  // pages in use where nothing is in the way for good
  // What is in the way, blocked or maybe.
  std::map<Reason, Bytes> by_reason;
  // Memory that is not managed; what is no memory at all is left out.
  std::map<BadWhy, Bytes> unmanaged;
  // The largest run that could be had as one on each node, by ascending node.
  std::vector<Run> largest;
};

// align: where a run may begin, at least a subblock.
[[nodiscard]] SurveySums add_up(const std::vector<Stretch>& stretches, Bytes page, Bytes align);

// Wherever memory may be: what an x86-64 or arm64 processor can address.
[[nodiscard]] constexpr Range all_memory() { return {PhysAddr{0}, Bytes{std::uint64_t{1} << 52U}}; }

// Of a module that is too old for it.
inline constexpr std::string_view lacks_survey = "can't survey memory";

}  // namespace memplug
