// SPDX-License-Identifier: MIT
#include "unplug_passes.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <iterator>
#include <optional>
#include <string>
#include <system_error>

#include "interrupt.hpp"
#include "memplug/failure.hpp"
#include "report.hpp"
#include "shortfall.hpp"

namespace memplug {
namespace {

// After the first.
constexpr int most_passes = 3;

using Clock = std::chrono::steady_clock;

bool continues(const HeldRange& before, const HeldRange& after) {
  return before.start && after.start && before.node == after.node &&
         before.start->value + before.size.value == after.start->value;
}

// By ascending address, neighbours as one.
std::vector<HeldRange> joined(std::vector<HeldRange> ranges) {
  std::sort(ranges.begin(), ranges.end(),
            [](const HeldRange& a, const HeldRange& b) { return a.start < b.start; });
  std::vector<HeldRange> result;
  for (const HeldRange& range : ranges) {
    if (!result.empty() && continues(result.back(), range)) {
      result.back().size.value += range.size.value;
    } else {
      result.push_back(range);
    }
  }
  return result;
}

// A SIZE is asked for less what was taken, a RANGE as it is: what was taken is so already.
Request rest_of(const Request& request, const Result& result) {
  Request rest = request;
  if (!request.start) {
    rest.length.value -= result.done.value;
  }
  return rest;
}

// A request that was made in one pass more.
Result added(const Request& request, const Result& before, const Result& pass) {
  Result sum = pass;
  sum.requested = before.requested;
  sum.done.value = before.done.value + pass.done.value;
  sum.already = before.already;
  if (request.start) {
    // Others may have been at the range meanwhile: never more than there is.
    const std::uint64_t out = pass.done.value + pass.already.value;
    sum.done.value = std::min(sum.done.value, out);
    sum.already.value = out - sum.done.value;
  }
  std::vector<HeldRange> ranges = before.ranges;
  std::copy(pass.ranges.begin(), pass.ranges.end(), std::back_inserter(ranges));
  sum.ranges = joined(std::move(ranges));
  sum.truncated = before.truncated || pass.truncated;
  sum.pages_migrated = before.pages_migrated + pass.pages_migrated;
  return sum;
}

// Whether what is left of the time, if it is limited, is enough to begin.
bool limit_time(Request& rest, const Request& request, Clock::duration elapsed) {
  if (request.timeout.count() == 0) {
    return true;
  }
  rest.timeout = request.timeout - elapsed;
  return rest.timeout.count() > 0;
}

// Nothing: it could not run, and why is told.
std::optional<Result> run_pass(const Request& rest, const RunRequest& run, Output& output) {
  try {
    return run(rest);
  } catch (const std::system_error& error) {
    if (!output.style.quiet) {
      output.prose << prose_line("unplug",
                                 std::string("it was not tried again: ") + error.what());
    }
  }
  return std::nullopt;
}

}  // namespace

Result run_in_passes(const Request& request, const SlabReclaim& slab, const RunRequest& run,
                     Output& output) {
  slab.require();
  const Clock::time_point start = Clock::now();
  Result result = run(request);
  for (int number = 0; number < most_passes && result.stop == Stop::Exhausted; ++number) {
    if (const int error_number = slab.reclaim(); error_number != 0) {
      if (!output.style.quiet) {
        output.prose << prose_line("unplug", with_reason("it was not tried again: cannot write " +
                                                             slab.path(),
                                                         error_number));
      }
      break;
    }
    Request rest = rest_of(request, result);
    if (InterruptGuard::interrupted()) {
      result.stop = Stop::Interrupted;
    } else if (!limit_time(rest, request, Clock::now() - start)) {
      result.stop = Stop::Timeout;
    } else if (const auto pass = run_pass(rest, run, output)) {
      result = added(request, result, *pass);
      if (output.style.verbose && !output.style.quiet) {
        output.prose << prose_line("unplug", size_text(pass->done, output.style) +
                                                 " more after dropping unused dentries and inodes");
      }
      if (pass->done.value == 0) {
        break;
      }
    } else {
      break;
    }
  }
  result.elapsed = Clock::now() - start;
  return result;
}

}  // namespace memplug
