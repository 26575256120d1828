// SPDX-License-Identifier: MIT
#include "request/unplug_passes.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <new>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "memplug/failure.hpp"
#include "terminal/interrupt.hpp"
#include "words/prose.hpp"

namespace memplug {
namespace {

// After the first.
constexpr int most_passes = 3;

using Clock = std::chrono::steady_clock;

PhysAddr end_of(const HeldRange& range) { return *range.start + range.size; }

bool have_places(const std::vector<HeldRange>& ranges) {
  return std::ranges::all_of(ranges,
                             [](const HeldRange& range) { return range.start.has_value(); });
}

// By ascending address, neighbours as one. What others have given back and a later pass has taken
// again is there once.
std::vector<HeldRange> joined(std::vector<HeldRange> ranges) {
  std::ranges::sort(ranges, {}, &HeldRange::start);
  std::vector<HeldRange> result;
  for (const HeldRange& range : ranges) {
    if (!result.empty() && result.back().node == range.node &&
        *range.start <= end_of(result.back())) {
      const PhysAddr end = std::max(end_of(result.back()), end_of(range));
      result.back().size = end - *result.back().start;
    } else {
      result.push_back(range);
    }
  }
  return result;
}

Bytes total_of(const std::vector<HeldRange>& ranges) {
  Bytes total;
  for (const HeldRange& range : ranges) {
    total += range.size;
  }
  return total;
}

// What slab that is reclaimed makes room in.
bool may_help(const Result& result) {
  return (result.stop == Stop::Exhausted || result.stop == Stop::Floor) &&
         std::ranges::any_of(result.blocked, [](const Blocked& blocked) {
           return blocked.reason == Reason::Unmovable || blocked.reason == Reason::NoMemory;
         });
}

// A SIZE is asked for less what was taken, a RANGE as it is: what was taken is so already.
Request rest_of(const Request& request, const Result& result) {
  Request rest = request;
  if (!request.start) {
    rest.length -= result.done;
  }
  return rest;
}

// The ranges of one pass more. There may be no memory to put them together: then some are not told.
void add_ranges(Result& sum, const std::vector<HeldRange>& more, bool lacks_some) {
  try {
    std::vector<HeldRange> ranges = sum.ranges;
    std::ranges::copy(more, std::back_inserter(ranges));
    sum.ranges = have_places(ranges) ? joined(std::move(ranges)) : std::move(ranges);
    sum.truncated = sum.truncated || lacks_some;
  } catch (const std::bad_alloc&) {
    sum.truncated = true;
  }
}

// A request that was made in one pass more.
void add(Result& sum, const Request& request, Result pass) {
  // That may have been for what was in the way alone, which is no matter any more.
  sum.truncated = sum.truncated && total_of(sum.ranges) != sum.done;
  const bool lacks_some = pass.truncated && total_of(pass.ranges) != pass.done;
  sum.done += pass.done;
  sum.pages_migrated += pass.pages_migrated;
  sum.stop = pass.stop;
  add_ranges(sum, pass.ranges, lacks_some);
  // Others may have given back what an earlier pass took.
  if (!sum.truncated && have_places(sum.ranges)) {
    sum.done = std::min(sum.done, total_of(sum.ranges));
  }
  if (request.start) {
    const Bytes out = pass.done + pass.already;
    sum.done = std::min(sum.done, out);
    sum.already = out - sum.done;
  }
  if (sum.stop == Stop::None && sum.shortfall().value != 0) {
    sum.stop = Stop::Exhausted;
  }
  sum.blocked = std::move(pass.blocked);
  sum.truncated = sum.truncated || pass.truncated;
}

// Signals and the time, before anything new is begun.
class Limits {
 public:
  explicit Limits(const Request& request) : timeout_(request.timeout) {}

  // Whether to go on; if not, why is the result's.
  [[nodiscard]] bool allow(Result& result) const {
    if (InterruptGuard::interrupted()) {
      result.stop = Stop::Interrupted;
      return false;
    }
    if (timeout_.count() != 0 && elapsed() >= timeout_) {
      result.stop = Stop::Timeout;
      return false;
    }
    return true;
  }

  [[nodiscard]] std::chrono::nanoseconds elapsed() const { return Clock::now() - start_; }
  // 0: as long as it takes.
  [[nodiscard]] std::chrono::nanoseconds left() const {
    return timeout_.count() == 0 ? timeout_
                                 : std::max(timeout_ - elapsed(), std::chrono::nanoseconds{1});
  }

 private:
  std::chrono::nanoseconds timeout_;
  Clock::time_point start_ = Clock::now();
};

void say(Output& output, const std::string& text) {
  if (!output.style.quiet) {
    output.prose << prose_line("unplug", text);
  }
}

// Nothing: it could not run, and why is told.
std::optional<Result> run_pass(const Request& rest, const RunRequest& run, Output& output) {
  try {
    return run(rest);
  } catch (const std::system_error& error) {
    say(output, std::string("it was not tried again: ") + error.what());
  }
  return std::nullopt;
}

// Nor may there be for these words.
void tell_of_no_memory(Output& output) {
  try {
    say(output, "there is no memory to try again; 'memplugctl list' shows what is unplugged");
  } catch (const std::bad_alloc&) {
    // The result counts.
  }
}

bool reclaim(const SlabReclaim& slab, Output& output) {
  const int error_number = slab.reclaim();
  if (error_number != 0) {
    say(output, with_reason("it was not tried again: cannot write " + slab.path(), error_number));
  }
  return error_number == 0;
}

// Again for the rest, for as long as that helps.
void try_again(Result& result, const Request& request, const Limits& limits,
               const SlabReclaim& slab, const RunRequest& run, Output& output) {
  bool goes_on = true;
  for (int number = 0; number < most_passes && goes_on && may_help(result); ++number) {
    if (!limits.allow(result) || !reclaim(slab, output) || !limits.allow(result)) {
      return;
    }
    Request rest = rest_of(request, result);
    rest.timeout = limits.left();
    std::optional<Result> pass = run_pass(rest, run, output);
    if (!pass) {
      static_cast<void>(limits.allow(result));
      return;
    }
    const Bytes more = pass->done;
    goes_on = more.value != 0;
    add(result, request, std::move(*pass));
    if (output.style.verbose) {
      say(output,
          size_text(more, output.style) + " more after dropping unused dentries and inodes");
    }
  }
}

}  // namespace

Result run_in_passes(const Request& request, const SlabReclaim& slab, const RunRequest& run,
                     Output& output) {
  slab.require();
  const Limits limits(request);
  Result result = run(request);
  try {
    try_again(result, request, limits, slab, run, output);
  } catch (const std::bad_alloc&) {
    tell_of_no_memory(output);
  }
  result.elapsed = limits.elapsed();
  return result;
}

}  // namespace memplug
