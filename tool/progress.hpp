// SPDX-License-Identifier: MIT
// Draws how far a request is, on a terminal, from a thread of its own. Never writes data, and
// leaves no trace on the line when it ends.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <ostream>
#include <string>
#include <thread>

#include "device.hpp"

namespace memplug {

struct ProgressTiming {
  // Shorter requests are not worth a flicker.
  std::chrono::milliseconds before_first{300};
  std::chrono::milliseconds between{200};
};

// "unplugging 1.5 GiB of 4 GiB, 800 MiB/s, 3 s left"
[[nodiscard]] std::string progress_line(Operation operation, const Progress& progress);

class ProgressMeter {
 public:
  using Poll = std::function<std::optional<Progress>()>;

  ProgressMeter(Operation operation, std::ostream& terminal, Poll poll, ProgressTiming timing = {});
  ProgressMeter(const ProgressMeter&) = delete;
  ProgressMeter& operator=(const ProgressMeter&) = delete;
  ~ProgressMeter();

 private:
  void draw_until_stopped();

  Operation operation_;
  std::ostream& terminal_;
  Poll poll_;
  ProgressTiming timing_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace memplug
