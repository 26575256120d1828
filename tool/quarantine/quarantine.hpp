// SPDX-License-Identifier: MIT
// Has bad memory kept out, and no longer, subblock by subblock. Knows no file and prints nothing.
#pragma once

#include <chrono>
#include <optional>
#include <vector>

#include "memplug/device.hpp"

namespace memplug {

// A part of what was asked for that can't be had, as it is not managed.
struct RefusedPart {
  Range range;
  BadWhy why = BadWhy::None;
};

struct QuarantineOutcome {
  std::vector<Range> subblocks;   // what was asked for, rounded outward
  std::vector<HeldRange> ranges;  // what of that is in quarantine now
  std::vector<RefusedPart> refused;
  Bytes ended;             // no longer in quarantine
  Bytes plugged;           // and given back
  Stop stop = Stop::None;  // why nobody waits any more for what is wanted
  std::chrono::nanoseconds elapsed{};
};

[[nodiscard]] Bytes total(const std::vector<Range>& ranges);
[[nodiscard]] Bytes total_unplugged(const std::vector<HeldRange>& ranges);
[[nodiscard]] Bytes total_wanted(const std::vector<HeldRange>& ranges);

// Whole subblocks that have all of these, merged.
[[nodiscard]] std::vector<Range> to_subblocks(const std::vector<Range>& ranges, Bytes subblock);

// Puts all that is managed into quarantine and tells of the rest. Stops between two ranges when the
// InterruptGuard has seen a signal.
[[nodiscard]] QuarantineOutcome begin_quarantine(Device& device,
                                                 const std::vector<Range>& subblocks);
// Waits until what it has put there is unplugged, no longer than this.
void await_quarantine(Device& device, std::chrono::nanoseconds timeout, QuarantineOutcome& outcome);
// The opposite; what is unplugged then is given back.
[[nodiscard]] QuarantineOutcome end_quarantine(Device& device, const std::vector<Range>& subblocks);

}  // namespace memplug
