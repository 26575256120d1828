// SPDX-License-Identifier: MIT
// Tells how far a memory test is: drawn on a terminal, else a line for each tenth.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "memplug/quantity.hpp"
#include "terminal/output.hpp"
#include "terminal/progress.hpp"

namespace memplug {

struct MemoryTestProgress {
  Bytes requested;
  Bytes tested;
  Bytes bad;
};

// "tested 25 %, 1 GiB of 4 GiB, nothing bad so far"
[[nodiscard]] std::string progress_line(const MemoryTestProgress& progress);

class MemoryTestTeller {
 public:
  // Nothing else may be written to output.prose while it lives.
  MemoryTestTeller(Output& output, const MemoryTestProgress& begin);
  MemoryTestTeller(const MemoryTestTeller&) = delete;
  MemoryTestTeller& operator=(const MemoryTestTeller&) = delete;
  ~MemoryTestTeller() = default;

  void tell(const MemoryTestProgress& progress);

 private:
  Output& output_;
  std::uint64_t told_tenths_;
  std::mutex mutex_;
  MemoryTestProgress progress_;
  // Ends first: its thread uses the rest.
  std::unique_ptr<ProgressMeter> meter_;
};

}  // namespace memplug
