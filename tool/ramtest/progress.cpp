// SPDX-License-Identifier: MIT
#include "ramtest/progress.hpp"

#include "words/prose.hpp"

namespace memplug {
namespace {

std::uint64_t parts_done(const MemoryTestProgress& progress, std::uint64_t parts) {
  return progress.requested == Bytes{} ? parts
                                       : progress.tested.value * parts / progress.requested.value;
}

}  // namespace

std::string progress_line(const MemoryTestProgress& progress) {
  return "tested " + std::to_string(parts_done(progress, 100)) + " %, " +
         print_size(progress.tested) + " of " + print_size(progress.requested) + ", " +
         (progress.bad == Bytes{} ? "nothing" : print_size(progress.bad)) + " bad so far";
}

MemoryTestTeller::MemoryTestTeller(Output& output, const MemoryTestProgress& begin)
    : output_(output), told_tenths_(parts_done(begin, 10)), progress_(begin) {
  if (output.terminal && !output.style.quiet) {
    const auto line = [this]() -> std::optional<std::string> {
      const std::lock_guard lock(mutex_);
      return progress_line(progress_);
    };
    meter_ = std::make_unique<ProgressMeter>(output.prose, line, output.terminal_width);
  }
}

void MemoryTestTeller::tell(const MemoryTestProgress& progress) {
  {
    const std::lock_guard lock(mutex_);
    progress_ = progress;
  }
  const std::uint64_t tenths = parts_done(progress, 10);
  if (meter_ == nullptr && !output_.style.quiet && tenths > told_tenths_) {
    output_.prose << prose_line("test", progress_line(progress)) << std::flush;
    told_tenths_ = tenths;
  }
}

}  // namespace memplug
