// SPDX-License-Identifier: MIT
// Runs Debian's memtester on physical memory, through the module's device.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ramtest/memtester_output.hpp"

namespace memplug {

// The tests that memtester has beside the one of stuck addresses, which it always runs, as it
// numbers them. More than it knows would test nothing, and be no error to it.
inline constexpr unsigned memtester_tests = 17;

struct Memtester {
  std::string program;                         // looked up in PATH
  std::string device;                          // the path, which it opens by itself
  std::optional<std::vector<unsigned>> tests;  // none: all
  std::uint64_t loops = 1;
};

struct MemtesterResult {
  Verdict verdict = Verdict::None;
  // Of a bad one; empty: no address of the range was named.
  std::vector<MemtesterFailure> failures;
  std::string message;  // why there is no verdict
  std::optional<std::string> version;
};

// On memory that is unplugged and ours. Needs an InterruptGuard: when that has seen a signal,
// memtester is ended. Throws Failure if it can't be run.
[[nodiscard]] MemtesterResult run_memtester(const Memtester& memtester, Range range);

}  // namespace memplug
