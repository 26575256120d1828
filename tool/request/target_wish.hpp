// SPDX-License-Identifier: MIT
// What a target is asked to be, in one of the ways that users count: the plugged size itself, all
// memory that Linux is to have, or so much more or less than now.
#pragma once

#include <optional>
#include <string>

#include "machine/meminfo.hpp"
#include "memplug/device.hpp"

namespace memplug {

struct TargetWish {
  enum class Of { None, Plugged, Total, More, Less };
  Of of = Of::None;
  Bytes size;
};

// SIZE or none, the value of --total, and that of --by: exactly one is there. Throws UsageError.
[[nodiscard]] TargetWish parse_target_wish(const std::optional<std::string>& what,
                                           const std::optional<std::string>& total,
                                           const std::optional<std::string>& by);

// The sizes of one moment.
struct Sizes {
  Info info;
  std::optional<Bytes> total;  // MemTotal; nothing: it is not told
};
// Throws Failure if there is no such moment for too long.
[[nodiscard]] Sizes read_sizes(Device& device, const Meminfo& meminfo);

// The plugged size that is wished; nothing: work toward none. Never less than is asked for: of
// MemTotal up to a subblock more. Throws UsageError if that is no multiple of a subblock, and
// Failure if there is no such size.
[[nodiscard]] std::optional<Bytes> target_of(const TargetWish& wish, const Sizes& now);

}  // namespace memplug
