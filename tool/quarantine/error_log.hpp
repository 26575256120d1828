// SPDX-License-Identifier: MIT
// What the kernel, rasdaemon and mcelog say of memory errors, and when a page has had too many.
// Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string_view>

#include "memplug/quantity.hpp"

namespace memplug {

struct MemoryError {
  PhysAddr address;
  bool corrected = true;
  std::uint64_t count = 1;
  bool operator==(const MemoryError&) const = default;
};

// Lines, one after the other, in the words of
//   the kernel's EDAC      EDAC MC0: 1 CE ... (... page:0x12345 offset:0x680 ...)
//   its machine checks     mce: [Hardware Error]: CPU 1: Machine Check: 0 Bank 8: STATUS, and
//   behind it
//                          mce: [Hardware Error]: ... ADDR 12345680
//   its memory failures    Memory failure: 0x12345: recovery action for ...
//   rasdaemon              mc_event: ... 1 Corrected error: ... (... address: 0x12345680 ...)
//   mcelog                 ... ADDR 12345680, and below it STATUS ...
// A machine check is of memory if its status says so, and has an address.
class ErrorLog {
 public:
  // Nothing: it tells of no memory error, or not yet.
  [[nodiscard]] std::optional<MemoryError> take(std::string_view line);

 private:
  [[nodiscard]] std::optional<MemoryError> machine_check();

  // Of one machine check, in whichever order they come.
  std::optional<std::uint64_t> status_;
  std::optional<PhysAddr> address_;
};

// How many corrected errors each page has had of late.
class ErrorCounts {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::hours window{24};

  // threshold: so many within the window are too many. Not 0.
  explicit ErrorCounts(std::uint64_t threshold) : threshold_(threshold) {}

  // Whether its page has had too many, with this one. One that is not corrected is. What has been
  // told of is counted anew.
  [[nodiscard]] bool take(const MemoryError& error, Clock::time_point now);

 private:
  struct Some {
    Clock::time_point when;
    std::uint64_t count = 0;
  };

  void forget_old(Clock::time_point now);

  std::uint64_t threshold_;
  std::map<PhysAddr, std::deque<Some>> pages_;
};

}  // namespace memplug
