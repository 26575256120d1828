// SPDX-License-Identifier: MIT
// The progress line and the thread that draws it.
#include "progress.hpp"

#include <pthread.h>

#include <array>
#include <cmath>
#include <csignal>
#include <cstdio>

namespace memplug {
namespace {

// Signals are for the thread that waits in the ioctl; one that this thread took would not stop it.
class AllSignalsBlocked {
 public:
  AllSignalsBlocked() {
    sigset_t all{};
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &old_);
  }
  AllSignalsBlocked(const AllSignalsBlocked&) = delete;
  AllSignalsBlocked& operator=(const AllSignalsBlocked&) = delete;
  ~AllSignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &old_, nullptr); }

 private:
  sigset_t old_{};
};

// Progress moves on while it is read: one decimal is all it deserves.
std::string about(double bytes) {
  constexpr std::array units{"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  while (bytes >= 1024 && unit + 1 < units.size()) {
    bytes /= 1024;
    ++unit;
  }
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), bytes < 10 && unit > 0 ? "%.1f %s" : "%.0f %s", bytes,
                units.at(unit));
  return text.data();
}

std::string about_time(double seconds) {
  const auto whole = static_cast<long long>(std::ceil(seconds));
  if (whole < 60) {
    return std::to_string(whole) + " s";
  }
  return std::to_string(whole / 60) + " min " + std::to_string(whole % 60) + " s";
}

constexpr std::string_view clear_line = "\r\033[K";

}  // namespace

std::string progress_line(Operation operation, const Progress& progress) {
  const auto done = static_cast<double>(progress.done.value);
  const auto finished = progress.done.value + progress.already.value;
  const double seconds =
      std::chrono::duration_cast<std::chrono::duration<double>>(progress.elapsed).count();
  std::string line = operation == Operation::Unplug ? "unplugging " : "plugging ";
  line += about(static_cast<double>(finished)) + " of " +
          about(static_cast<double>(progress.requested.value));
  if (done > 0 && seconds > 0 && progress.requested.value >= finished) {
    const double rate = done / seconds;
    const auto rest = static_cast<double>(progress.requested.value - finished);
    line += ", " + about(rate) + "/s, " + about_time(rest / rate) + " left";
  }
  return line;
}

ProgressMeter::ProgressMeter(Operation operation, std::ostream& terminal, Poll poll,
                             ProgressTiming timing)
    : operation_(operation), terminal_(terminal), poll_(std::move(poll)), timing_(timing) {
  const AllSignalsBlocked inherited_by_thread;
  thread_ = std::thread([this] { draw_until_stopped(); });
}

ProgressMeter::~ProgressMeter() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void ProgressMeter::draw_until_stopped() {
  const auto stopping = [this] { return stopping_; };
  bool drawn = false;
  std::unique_lock lock(mutex_);
  auto wait = timing_.before_first;
  while (!wake_.wait_for(lock, wait, stopping)) {
    wait = timing_.between;
    const auto progress = poll_();
    if (progress) {
      terminal_ << clear_line << progress_line(operation_, *progress) << std::flush;
      drawn = true;
    }
  }
  if (drawn) {
    terminal_ << clear_line << std::flush;
  }
}

}  // namespace memplug
