// SPDX-License-Identifier: MIT
// Draws how far the work is, on a terminal, from a thread of its own. Never writes data, and
// leaves no trace on the line when it ends.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>
#include <ostream>
#include <string>
#include <thread>

#include "memplug/device.hpp"

namespace memplug {

struct ProgressTiming {
  // Shorter requests are not worth a flicker.
  std::chrono::milliseconds before_first{300};
  std::chrono::milliseconds between{200};
};

// "unplugging 1.5 GiB of 4 GiB, 800 MiB/s, 3 s left"
[[nodiscard]] std::string progress_line(Operation operation, const Progress& progress);

// Of the module's work toward a target since someone began to look.
struct TargetProgress {
  Bytes plugged_before;
  Bytes plugged;
  Bytes target;
  TargetState state = TargetState::Working;
  std::chrono::nanoseconds elapsed{};
};

// Positive: the plugged size came nearer to the target.
[[nodiscard]] std::int64_t bytes_nearer(const TargetProgress& progress);
// "plugged 3.2 GiB, target 2.0 GiB, 512 MiB/s, 3 s left"
[[nodiscard]] std::string progress_line(const TargetProgress& progress);

// In less than this many columns: what comes last, behind commas, is left out first.
[[nodiscard]] std::string shorten(std::string line, std::size_t width);

class ProgressMeter {
 public:
  // Both are asked for from the meter's thread. Nothing: there is nothing to tell.
  using Line = std::function<std::optional<std::string>()>;
  // Columns of the terminal; a line that is longer would be left behind when it is to be cleared.
  using Width = std::function<std::size_t()>;

  ProgressMeter(std::ostream& terminal, Line line, Width width, ProgressTiming timing = {});
  ProgressMeter(const ProgressMeter&) = delete;
  ProgressMeter& operator=(const ProgressMeter&) = delete;
  ~ProgressMeter();

 private:
  void draw_until_stopped();

  std::ostream& terminal_;
  Line line_;
  Width width_;
  ProgressTiming timing_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace memplug
