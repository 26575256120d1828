// SPDX-License-Identifier: MIT
#include "quarantine/quarantine.hpp"

#include <algorithm>
#include <numeric>

#include "quarantine/bad_memory.hpp"
#include "terminal/interrupt.hpp"

namespace memplug {
namespace {

using Clock = std::chrono::steady_clock;

// A signal that comes just before a wait is seen after it.
constexpr std::chrono::milliseconds longest_wait{500};

std::optional<Range> common_part(Range a, Range b) {
  const PhysAddr first = std::max(a.start, b.start);
  const PhysAddr last = std::min(last_byte(a), last_byte(b));
  if (last < first) {
    return std::nullopt;
  }
  return Range{first, Bytes{last.value - first.value + 1}};
}

// What of the listed ranges lies in these.
std::vector<HeldRange> parts_within(const std::vector<HeldRange>& listed,
                                    const std::vector<Range>& within) {
  std::vector<HeldRange> parts;
  for (const HeldRange& held : listed) {
    for (const Range& range : within) {
      const auto part = common_part({held.start.value_or(PhysAddr{}), held.size}, range);
      if (held.start && part) {
        parts.push_back(held);
        parts.back().start = part->start;
        parts.back().size = part->size;
      }
    }
  }
  return parts;
}

// What is not managed is told by the first part of it at a time.
void quarantine_managed(Device& device, Range range, std::vector<RefusedPart>& refused) {
  std::vector<Range> left{range};
  while (!left.empty()) {
    const Range next = left.back();
    left.pop_back();
    try {
      static_cast<void>(device.quarantine(next));
    } catch (const UnmanagedError& error) {
      refused.push_back({error.part(), error.why()});
      const std::vector<Range> rest = subtract({next}, error.part());
      left.insert(left.end(), rest.rbegin(), rest.rend());
    }
  }
}

// Those that were unplugged, and are nobody's now.
Bytes plug(Device& device, const std::vector<HeldRange>& ranges) {
  Bytes plugged;
  for (const HeldRange& held : ranges) {
    if (held.wanted || !held.start) {
      continue;
    }
    Request request;
    request.operation = Operation::Plug;
    request.start = held.start;
    request.length = held.size;
    try {
      plugged += device.carry_out(request, Capacity{}).done;
    } catch (const UnmanagedError&) {
      // Its memory block has gone offline meanwhile, and with it what was wanted of it.
    }
  }
  return plugged;
}

Bytes total_of(const std::vector<HeldRange>& ranges, bool wanted) {
  return std::accumulate(ranges.begin(), ranges.end(), Bytes{},
                         [wanted](Bytes sum, const HeldRange& held) {
                           return sum + (held.wanted == wanted ? held.size : Bytes{});
                         });
}

}  // namespace

Bytes total(const std::vector<Range>& ranges) {
  return std::accumulate(ranges.begin(), ranges.end(), Bytes{},
                         [](Bytes sum, Range range) { return sum + range.size; });
}

Bytes total_unplugged(const std::vector<HeldRange>& ranges) { return total_of(ranges, false); }

Bytes total_wanted(const std::vector<HeldRange>& ranges) { return total_of(ranges, true); }

std::vector<Range> to_subblocks(const std::vector<Range>& ranges, Bytes subblock) {
  std::vector<Range> rounded;
  rounded.reserve(ranges.size());
  std::transform(ranges.begin(), ranges.end(), std::back_inserter(rounded),
                 [subblock](Range range) { return round_outward(range, subblock); });
  return merge(std::move(rounded));
}

QuarantineOutcome begin_quarantine(Device& device, const std::vector<Range>& subblocks) {
  const auto begin = Clock::now();
  QuarantineOutcome outcome;
  outcome.subblocks = subblocks;
  for (const Range& range : subblocks) {
    if (InterruptGuard::interrupted()) {
      outcome.stop = Stop::Interrupted;
      break;
    }
    quarantine_managed(device, range, outcome.refused);
  }
  outcome.ranges = parts_within(device.quarantined().ranges, subblocks);
  outcome.elapsed = Clock::now() - begin;
  return outcome;
}

void await_quarantine(Device& device, std::chrono::nanoseconds timeout,
                      QuarantineOutcome& outcome) {
  const InterruptGuard guard;
  const auto begin = Clock::now();
  for (;;) {
    outcome.ranges = parts_within(device.quarantined().ranges, outcome.subblocks);
    const auto waited = Clock::now() - begin;
    if (total_wanted(outcome.ranges) == Bytes{}) {
      outcome.elapsed += waited;
      return;
    }
    if (InterruptGuard::interrupted() || waited >= timeout) {
      outcome.stop = InterruptGuard::interrupted() ? Stop::Interrupted : Stop::Timeout;
      outcome.elapsed += waited;
      return;
    }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(timeout - waited);
    // Whatever ended the wait, the next round sees what is so.
    static_cast<void>(device.wait(std::min(left, longest_wait)));
  }
}

QuarantineOutcome end_quarantine(Device& device, const std::vector<Range>& subblocks) {
  const auto begin = Clock::now();
  QuarantineOutcome outcome;
  outcome.subblocks = subblocks;
  const std::vector<HeldRange> before = parts_within(device.quarantined().ranges, subblocks);
  for (const Range& range : subblocks) {
    outcome.ended += device.end_quarantine(range).changed;
  }
  outcome.plugged = plug(device, before);
  outcome.ranges = parts_within(device.quarantined().ranges, subblocks);
  outcome.elapsed = Clock::now() - begin;
  return outcome;
}

}  // namespace memplug
