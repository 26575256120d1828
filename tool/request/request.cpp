// SPDX-License-Identifier: MIT
// One request from its arguments to its exit status.
#include "request/request.hpp"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <limits>
#include <memory>
#include <new>

#include "memplug.h"
#include "memplug/failure.hpp"
#include "request/refusals.hpp"
#include "request/unplug_passes.hpp"
#include "terminal/interrupt.hpp"
#include "terminal/progress.hpp"
#include "words/names.hpp"
#include "words/prose.hpp"

namespace memplug {
namespace {

// Bounds what a result can cost: 512 KiB of records.
constexpr std::uint64_t min_ranges = 1024;
constexpr std::uint64_t max_ranges = 16384;
// The command of hold has to know all that it holds: 16 TiB of subblocks one by one.
constexpr std::uint64_t max_tied_ranges = 1ULL << 22U;

std::uint64_t round_down(std::uint64_t value, std::uint64_t unit) { return value / unit * unit; }

void check_size(std::string_view what, Bytes size, Bytes subblock) {
  if (size == Bytes{}) {
    throw UsageError(std::string(what) + " 0 asks for nothing; the least is one subblock, " +
                     print_size(subblock));
  }
  check_multiple(what, size, subblock, subblock);
}

void check_align(Bytes align, Bytes subblock) {
  if (std::has_single_bit(align.value) && align >= subblock) {
    return;
  }
  const Bytes below{std::max(std::bit_floor(align.value), subblock.value)};
  std::string message = "--align " + print_size_argument(align) +
                        " is not a power of two from the subblock, " + print_size(subblock) +
                        ", upward; the nearest is " + print_size_argument(below);
  if (align > subblock && below.value <= std::numeric_limits<std::uint64_t>::max() / 2) {
    message = "--align " + print_size_argument(align) + " is not a power of two; the nearest are " +
              print_size_argument(below) + " and " + print_size_argument(Bytes{below.value * 2});
  }
  throw UsageError(message);
}

// Room for every subblock on its own, within reason.
Capacity capacity_for(const Request& request, const Info& info) {
  const Bytes size = request.all ? info.unplugged : request.length;
  return {static_cast<std::uint32_t>(std::clamp(size.value / info.subblock.value, min_ranges,
                                                request.tied ? max_tied_ranges : max_ranges)),
          std::min<std::uint32_t>(info.max_blocked, MEMPLUG_MAX_BLOCKED)};
}

Result run_on_device(const Request& request, const Info& info, Device& device,
                     const Output& output) {
  const InterruptGuard guard;
  std::unique_ptr<ProgressMeter> meter;
  if (output.terminal && !output.style.quiet) {
    const auto line = [&device, &request]() -> std::optional<std::string> {
      const auto progress = device.progress();
      return progress ? std::optional(progress_line(request.operation, *progress)) : std::nullopt;
    };
    meter = std::make_unique<ProgressMeter>(output.prose, line, output.terminal_width);
  }
  if (InterruptGuard::interrupted()) {
    throw Failure(EINTR, "interrupted before it began", "");
  }
  return device.carry_out(request, capacity_for(request, info));
}

// Nothing was asked for.
Result stopped_by_commit_limit(const Request& request, Bytes already) {
  Result result;
  result.requested = request.length;
  result.already = already;
  result.stop = Stop::CommitLimit;
  return result;
}

// An unplug of no more than `most`. What is all or nothing, and a RANGE, is not asked for in part.
Result run_within(Bytes most, const Request& request, const Info& info, Device& device,
                  const Output& output) {
  if (request.start && request.length > most) {
    Request forecast = request;
    forecast.dry_run = true;
    // All of what is not out yet: what a forecast takes for blocked may be had after all.
    const Bytes already = run_on_device(forecast, info, device, output).already;
    return request.length - already > most ? stopped_by_commit_limit(request, already)
                                           : run_on_device(request, info, device, output);
  }
  if (request.length <= most) {
    return run_on_device(request, info, device, output);
  }
  if (most == Bytes{} || request.exact || request.contiguous) {
    return stopped_by_commit_limit(request, Bytes{0});
  }
  Request part = request;
  part.length = most;
  Result result = run_on_device(part, info, device, output);
  result.requested = request.length;
  if (result.stop == Stop::None) {
    result.stop = Stop::CommitLimit;
  }
  return result;
}

Result run_limited(const Request& request, Manner manner, const Info& info, Device& device,
                   const Surroundings& surroundings, const Output& output) {
  if (request.operation == Operation::Unplug && !manner.force) {
    if (const auto most = most_to_unplug(surroundings.commit_limit, info.subblock)) {
      return run_within(*most, request, info, device, output);
    }
  }
  return run_on_device(request, info, device, output);
}

}  // namespace

void set_size_or_range(Request& request, const std::string& text) {
  if (looks_like_range(text)) {
    const Range range = parse_range(text);
    request.start = range.start;
    request.length = range.size;
  } else {
    request.length = parse_size(text);
  }
}

void check_multiple(std::string_view what, Bytes size, Bytes subblock, Bytes least) {
  if (size % subblock == Bytes{}) {
    return;
  }
  const Bytes below{round_down(size.value, subblock.value)};
  std::string message = std::string(what) + " " + print_size_argument(size) +
                        " is not a multiple of the subblock, which is " + print_size(subblock) +
                        "; ";
  const bool has_above = below.value <= std::numeric_limits<std::uint64_t>::max() - subblock.value;
  const Bytes above{has_above ? below.value + subblock.value : below.value};
  if (below < least) {
    message += "the nearest is " + print_size_argument(above);
  } else if (!has_above) {
    message += "the nearest is " + print_size_argument(below);
  } else {
    message +=
        "the nearest are " + print_size_argument(below) + " and " + print_size_argument(above);
  }
  throw UsageError(message);
}

void require_zone(const Request& request, const Info& info) {
  if (request.zone == ZoneChoice::Any) {
    return;
  }
  require_feature(info, MEMPLUG_FEATURE_ZONES, "takes from ZONE_NORMAL only");
  if (request.zone == ZoneChoice::Low && info.low_managed == Bytes{}) {
    throw Failure(ENXIO, "--zone dma32: no memory below ZONE_NORMAL is managed",
                  "load the module with zones=normal,dma32");
  }
}

void check_range(std::string_view what, Range range, Bytes subblock) {
  if (range.start % subblock == Bytes{} && range.size % subblock == Bytes{}) {
    return;
  }
  const PhysAddr first{round_down(range.start.value, subblock.value)};
  const PhysAddr last{round_down(last_byte(range).value, subblock.value) + (subblock.value - 1)};
  throw UsageError(std::string(what) + " " + print_range(range) +
                   " does not begin and end at multiples of the subblock, which is " +
                   print_size(subblock) + "; the subblocks it touches are " + print_address(first) +
                   "-" + print_address(last));
}

Range widened(std::string_view verb, Range range, Bytes subblock, const Output& output) {
  const PhysAddr first = range.start - range.start % subblock;
  const PhysAddr last = last_byte(range) - last_byte(range) % subblock + (subblock - Bytes{1});
  const Range whole{first, last - first + Bytes{1}};
  if (whole.size == Bytes{}) {
    throw UsageError("range " + print_range(range) + ": it is all of the address space");
  }
  if (whole != range && !output.style.quiet) {
    output.prose << prose_line(verb, "shown are whole subblocks: " + print_range(whole));
  }
  return whole;
}

void check_against_subblock(const Request& request, Bytes subblock) {
  if (request.start) {
    check_range("range", {*request.start, request.length}, subblock);
  } else if (!request.all) {
    check_size("size", request.length, subblock);
  }
  if (request.window) {
    check_range("--within", *request.window, subblock);
  }
  if (request.align != Bytes{}) {
    check_align(request.align, subblock);
  }
}

std::optional<Bytes> most_to_unplug(const CommitLimit& commit_limit, Bytes subblock) {
  const auto room = commit_limit.room();
  return room ? std::optional(Bytes{round_down(room->value, subblock.value)}) : std::nullopt;
}

Result carry_out(const Request& request, Manner manner, Device& device, const Info& info,
                 const Surroundings& surroundings, Output& output) {
  check_against_subblock(request, info.subblock);
  require_zone(request, info);
  Result result;
  try {
    const auto run = [&](const Request& part) {
      return run_limited(part, manner, info, device, surroundings, output);
    };
    result =
        manner.reclaim_slab ? run_in_passes(request, surroundings.slab, run, output) : run(request);
  } catch (const UnmanagedError& error) {
    throw unmanaged_failure(request, error, surroundings.zones);
  } catch (const Failure&) {
    throw;
  } catch (const std::system_error& error) {
    throw Failure(error.code().value(), error.what(), step_after_refusal(error.code().value()));
  }
  if (!manner.keep_watermarks && !request.dry_run && result.done >= least_for_watermarks) {
    surroundings.watermarks.recompute(operation_name(request.operation), output);
  }
  return result;
}

}  // namespace memplug
