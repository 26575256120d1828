// SPDX-License-Identifier: MIT
// A process that makes random requests, and judges each answer by itself. What is true of the
// whole is for the conductor to compare.
#pragma once

#include <algorithm>
#include <csignal>
#include <random>

#include "soak_board.hpp"
#include "zoneinfo.hpp"

namespace soak {

struct Span {
  std::uint64_t start = 0;
  std::uint64_t end = 0;
};

inline Span normal_memory() {
  Span span{~std::uint64_t{0}, 0};
  for (const lab::Zone& zone : lab::normal_zones()) {
    span.start = std::min(span.start, zone.start_pfn * page_size);
    span.end = std::max(span.end, (zone.start_pfn + zone.spanned) * page_size);
  }
  return span;
}

class Requester {
 public:
  Requester(Board& board, std::size_t slot, Span memory, std::uint64_t seed)
      : board_(board), slot_(slot), memory_(memory), random_(seed) {}

  void run() {
    struct sigaction action {};
    // No SA_RESTART: a request that was interrupted has to come back with what it has done.
    action.sa_handler = [](int /*signal*/) {};
    ::sigaction(SIGINT, &action, nullptr);
    Gate gate(board_, slot_);
    while (gate.enter()) {
      // Opened anew for every few: one that was killed must not be the only one that closes.
      const lab::Device device(O_RDWR);
      for (std::uint64_t i = up_to(20); i > 0 && !gate.wanted_empty(); --i) {
        one(device);
      }
      gate.leave();
    }
  }

 private:
  static constexpr std::size_t max_ranges = 2048;

  struct Wanted {
    Kind kind;
    memplug_request request;
    [[nodiscard]] bool unplugs() const { return kind <= Kind::unplug_timeout; }
  };

  std::uint64_t up_to(std::uint64_t limit) {
    return std::uniform_int_distribution<std::uint64_t>(1, limit)(random_);
  }

  void tally(Kind kind, Result result) {
    ++board_.requests[static_cast<std::size_t>(kind)][static_cast<std::size_t>(result)];
  }

  void one(const lab::Device& device) {
    const std::uint64_t dice = up_to(100);
    if (dice <= 4) {
      set_target(device);
    } else if (dice <= 12) {
      look(device);
    } else {
      ask(device);
    }
  }

  void set_target(const lab::Device& device) {
    const memplug_info info = device.info();
    auto target = lab::sized<memplug_target>();
    const std::uint64_t less = up_to(256) * info.out_subblock_size;
    target.target = up_to(3) == 1 || less > info.out_managed_size ? MEMPLUG_NO_TARGET
                                                                  : info.out_managed_size - less;
    const int error = device.call(MEMPLUG_IOC_TARGET, &target);
    // A memory block may have gone offline in between.
    if (error != 0 && error != ERANGE) {
      broke(board_, "TARGET: %s", std::strerror(error));
    }
    tally(Kind::target, error == 0 ? Result::whole : Result::refused);
  }

  void look(const lab::Device& device) {
    const memplug_info info = device.info();
    if (info.out_unplugged_size > info.out_managed_size) {
      broke(board_, "more is unplugged than managed");
    }
    const std::vector<memplug_range> ranges = device.list();
    check_ranges(ranges, info.out_subblock_size, "LIST");
    if (device.progress().out_operation != MEMPLUG_OP_NONE) {
      broke(board_, "PROGRESS tells of a request on a descriptor that has none");
    }
    tally(Kind::list, Result::whole);
  }

  Wanted random_request(std::uint64_t subblock) {
    Wanted wanted{Kind::unplug_size, lab::sized<memplug_request>()};
    memplug_request& request = wanted.request;
    request.length = up_to(up_to(12) == 1 ? 256 : 32) * subblock;
    const std::uint64_t dice = up_to(100);
    if (dice <= 12) {
      wanted.kind = Kind::unplug_size;
    } else if (dice <= 24) {
      wanted.kind = Kind::unplug_range;
    } else if (dice <= 32) {
      wanted.kind = Kind::unplug_contiguous;
      request.flags = MEMPLUG_REQ_CONTIGUOUS;
      request.align = up_to(2) == 1 ? 0 : subblock << (up_to(4) - 1);
    } else if (dice <= 40) {
      wanted.kind = Kind::unplug_exact;
      request.flags = MEMPLUG_REQ_EXACT;
    } else if (dice <= 48) {
      wanted.kind = Kind::unplug_within;
      request.flags = MEMPLUG_REQ_WINDOW;
      request.window_length = (memory_.end - memory_.start) / subblock / (1 + up_to(7)) * subblock;
      request.window_start = place(request.window_length, subblock);
    } else if (dice <= 56) {
      wanted.kind = Kind::unplug_timeout;
      request.timeout_ns = up_to(50) * 1000000;
    } else if (dice <= 72) {
      wanted.kind = Kind::plug_size;
    } else if (dice <= 95) {
      wanted.kind = Kind::plug_range;
    } else {
      wanted.kind = Kind::plug_all;
      request.flags = MEMPLUG_REQ_ALL;
      request.length = 0;
    }
    if (wanted.kind == Kind::unplug_range || wanted.kind == Kind::plug_range) {
      request.flags = MEMPLUG_REQ_RANGE;
      request.start = place(request.length, subblock);
    }
    if (up_to(12) == 1) {
      request.flags |= MEMPLUG_REQ_DRY_RUN;
    }
    return wanted;
  }

  std::uint64_t place(std::uint64_t length, std::uint64_t subblock) {
    return memory_.start +
           (up_to((memory_.end - memory_.start - length) / subblock) - 1) * subblock;
  }

  void ask(const lab::Device& device) {
    const std::uint64_t subblock = device.info().out_subblock_size;
    Wanted wanted = random_request(subblock);
    memplug_request& request = wanted.request;
    std::vector<memplug_range> ranges(max_ranges);
    std::vector<memplug_blocked> blocked(MEMPLUG_MAX_BLOCKED);
    request.ranges = lab::user_pointer(ranges.data());
    request.ranges_capacity = static_cast<std::uint32_t>(ranges.size());
    request.blocked = lab::user_pointer(blocked.data());
    request.blocked_capacity = static_cast<std::uint32_t>(blocked.size());
    board_.in_request[slot_] = true;
    const int error =
        device.call(wanted.unplugs() ? MEMPLUG_IOC_UNPLUG : MEMPLUG_IOC_PLUG, &request);
    board_.in_request[slot_] = false;
    const bool dry = (request.flags & MEMPLUG_REQ_DRY_RUN) != 0;
    const Kind kind = dry ? Kind::dry_run : wanted.kind;
    if (error != 0) {
      if (error != ENXIO || request.out_bad_why != MEMPLUG_BAD_OFFLINE) {
        broke(board_, "%s: %s, of %#llx the reason %u", name(wanted.kind), std::strerror(error),
              static_cast<unsigned long long>(request.out_bad_start), request.out_bad_why);
      }
      tally(kind, Result::refused);
      return;
    }
    ranges.resize(std::min<std::size_t>(request.out_ranges, ranges.size()));
    check(wanted, ranges, subblock);
    count(wanted, kind, dry);
  }

  void count(const Wanted& wanted, Kind kind, bool dry) {
    const memplug_request& request = wanted.request;
    const std::uint64_t had = request.out_done + request.out_already;
    tally(kind, had == request.out_requested ? Result::whole
                : had == 0                   ? Result::nothing
                                             : Result::part);
    board_.interrupted += request.out_stop == MEMPLUG_STOP_INTERRUPTED ? 1 : 0;
    board_.timed_out += request.out_stop == MEMPLUG_STOP_TIMEOUT ? 1 : 0;
    board_.floor_stops += request.out_stop == MEMPLUG_STOP_FLOOR ? 1 : 0;
    if (!dry) {
      (wanted.unplugs() ? board_.bytes_unplugged : board_.bytes_plugged) += request.out_done;
    }
  }

  static const char* name(Kind kind) { return kind_names[static_cast<std::size_t>(kind)]; }

  void check_ranges(const std::vector<memplug_range>& ranges, std::uint64_t subblock,
                    const char* of) {
    std::uint64_t end = 0;
    for (const memplug_range& range : ranges) {
      if (range.length == 0 || (range.start | range.length) % subblock != 0) {
        broke(board_, "%s: the range at %#llx is not made of whole subblocks", of,
              static_cast<unsigned long long>(range.start));
      }
      if (range.start < end) {
        broke(board_, "%s: the range at %#llx overlaps the one before, or is out of order", of,
              static_cast<unsigned long long>(range.start));
      }
      end = range.start + range.length;
    }
  }

  void check(const Wanted& wanted, const std::vector<memplug_range>& ranges,
             std::uint64_t subblock) {
    const memplug_request& request = wanted.request;
    const char* of = name(wanted.kind);
    const std::uint64_t had = request.out_done + request.out_already;
    if (had > request.out_requested ||
        (had == request.out_requested) != (request.out_stop == MEMPLUG_STOP_NONE)) {
      broke(board_, "%s: %llu done and %llu already of %llu bytes, stop reason %u", of,
            static_cast<unsigned long long>(request.out_done),
            static_cast<unsigned long long>(request.out_already),
            static_cast<unsigned long long>(request.out_requested), request.out_stop);
    }
    check_ranges(ranges, subblock, of);
    if ((request.out_flags & MEMPLUG_OUT_TRUNCATED) == 0 &&
        lab::total_length(ranges) != request.out_done) {
      broke(board_, "%s: the ranges are %llu bytes, done are %llu", of,
            static_cast<unsigned long long>(lab::total_length(ranges)),
            static_cast<unsigned long long>(request.out_done));
    }
    const bool whole = (request.flags & (MEMPLUG_REQ_EXACT | MEMPLUG_REQ_CONTIGUOUS)) != 0;
    if (whole && request.out_done != 0 && had != request.out_requested) {
      broke(board_, "%s: all or nothing gave a part", of);
    }
    check_place(request, ranges, of);
  }

  void check_place(const memplug_request& request, const std::vector<memplug_range>& ranges,
                   const char* of) {
    Span allowed = memory_;
    if ((request.flags & MEMPLUG_REQ_RANGE) != 0) {
      allowed = {request.start, request.start + request.length};
    } else if ((request.flags & MEMPLUG_REQ_WINDOW) != 0) {
      allowed = {request.window_start, request.window_start + request.window_length};
    }
    for (const memplug_range& range : ranges) {
      if (range.start < allowed.start || range.start + range.length > allowed.end) {
        broke(board_, "%s: the range at %#llx is outside of what was asked for", of,
              static_cast<unsigned long long>(range.start));
      }
    }
    if ((request.flags & MEMPLUG_REQ_CONTIGUOUS) != 0 && request.out_done != 0 &&
        (ranges.size() != 1 || (request.align != 0 && ranges[0].start % request.align != 0))) {
      broke(board_, "%s: the memory is not one run, or not aligned", of);
    }
  }

  Board& board_;
  std::size_t slot_;
  Span memory_;
  std::mt19937_64 random_;
};

}  // namespace soak
