// SPDX-License-Identifier: MIT
// What the kernel, rasdaemon and mcelog say of memory errors, and when a page has had too many.
// Pure.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "memplug/quantity.hpp"
#include "quarantine/log_entry.hpp"

namespace memplug {

// Several may tell of the same error.
enum class ErrorTeller { Edac, MachineCheck, MemoryFailure, Rasdaemon, Mcelog };

struct MemoryError {
  PhysAddr address;
  bool corrected = true;
  std::uint64_t count = 1;
  ErrorTeller teller = ErrorTeller::Edac;
  bool operator==(const MemoryError&) const = default;
};

// Entries, one after the other, in the words of
//   the kernel's EDAC      EDAC MC0: 1 CE ... on DIMM_A1 (... page:0x12345 offset:0x680 ...)
//   its machine checks     mce: [Hardware Error]: CPU 1: Machine Check: 0 Bank 8: STATUS, and
//   behind it
//                          mce: [Hardware Error]: ... ADDR 12345680
//   its memory failures    Memory failure: 0x12345: recovery action for ...
//   rasdaemon              mc_event: ... 1 Corrected error: ... (... address: 0x12345680 ...)
//   mcelog                 ... ADDR 12345680, and below it STATUS ...
// A machine check is of memory if its status says so, and has an address. The kernel's words count
// at the beginning of what it says only: behind that it may repeat a user's.
class ErrorLog {
 public:
  // Nothing: it tells of no memory error, or not yet.
  [[nodiscard]] std::optional<MemoryError> take(const LogEntry& entry);

 private:
  // Of one machine check, in whichever order its parts come.
  struct MachineCheck {
    [[nodiscard]] std::optional<MemoryError> take(std::string_view text, ErrorTeller teller);

    std::optional<std::uint64_t> status;
    std::optional<PhysAddr> address;
  };

  MachineCheck kernels_;
  MachineCheck mcelogs_;
};

// How many corrected errors each page has had of late.
class ErrorCounts {
 public:
  static constexpr std::chrono::hours window{24};

  // threshold: so many within the window are too many. Not 0.
  explicit ErrorCounts(std::uint64_t threshold) : threshold_(threshold) {}

  // Whether its page has had too many, with this one, by the same teller. One that is not corrected
  // is. So is each that follows, until the page is settled.
  [[nodiscard]] bool take(const MemoryError& error, LogEntry::Time when);

  // Something was done about these pages: what else is told of them is nothing new.
  void settle(Range pages);

 private:
  struct Some {
    LogEntry::Time when;
    std::uint64_t count = 0;
  };

  [[nodiscard]] bool is_settled(PhysAddr page) const;
  void forget_old(LogEntry::Time now);

  std::uint64_t threshold_;
  std::map<std::pair<PhysAddr, ErrorTeller>, std::deque<Some>> pages_;
  std::vector<Range> settled_;
};

}  // namespace memplug
