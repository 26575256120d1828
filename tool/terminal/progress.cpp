// SPDX-License-Identifier: MIT
// The progress line and the thread that draws it.
#include "terminal/progress.hpp"

#include <pthread.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <new>

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
  // What the module says may come to more than fits into an integer.
  constexpr double longest = 1e15;
  const auto whole = static_cast<long long>(std::ceil(std::min(seconds, longest)));
  if (whole < 60) {
    return std::to_string(whole) + " s";
  }
  return std::to_string(whole / 60) + " min " + std::to_string(whole % 60) + " s";
}

std::string rate_and_time_left(std::uint64_t done, std::uint64_t rest,
                               std::chrono::nanoseconds elapsed) {
  const double seconds = std::chrono::duration_cast<std::chrono::duration<double>>(elapsed).count();
  if (done == 0 || seconds <= 0) {
    return "";
  }
  const double rate = static_cast<double>(done) / seconds;
  return ", " + about(rate) + "/s, " + about_time(static_cast<double>(rest) / rate) + " left";
}

std::uint64_t distance(Bytes one, Bytes other) {
  return one > other ? one.value - other.value : other.value - one.value;
}

constexpr std::string_view clear_line = "\r\033[K";

}  // namespace

std::string progress_line(Operation operation, const Progress& progress) {
  const auto finished = progress.done.value + progress.already.value;
  std::string line = operation == Operation::Unplug ? "unplugging " : "plugging ";
  line += about(static_cast<double>(finished)) + " of " +
          about(static_cast<double>(progress.requested.value));
  if (progress.requested.value >= finished) {
    line += rate_and_time_left(progress.done.value, progress.requested.value - finished,
                               progress.elapsed);
  }
  return line;
}

std::int64_t bytes_nearer(const TargetProgress& progress) {
  return static_cast<std::int64_t>(distance(progress.plugged_before, progress.target) -
                                   distance(progress.plugged, progress.target));
}

std::string progress_line(const TargetProgress& progress) {
  std::string line = "plugged " + about(static_cast<double>(progress.plugged.value)) + ", target " +
                     about(static_cast<double>(progress.target.value));
  if (progress.state == TargetState::Blocked) {
    return line + ", blocked so far";
  }
  const std::int64_t nearer = bytes_nearer(progress);
  if (nearer <= 0) {
    return line;
  }
  return line + rate_and_time_left(static_cast<std::uint64_t>(nearer),
                                   distance(progress.plugged, progress.target), progress.elapsed);
}

std::string shorten(std::string line, std::size_t width) {
  // The cursor takes a column, too.
  const std::size_t room = std::max<std::size_t>(width, 1) - 1;
  while (line.size() > room) {
    const std::size_t comma = line.rfind(", ");
    line.resize(comma != std::string::npos ? comma : room);
  }
  return line;
}

ProgressMeter::ProgressMeter(std::ostream& terminal, Line line, Width width, ProgressTiming timing)
    : terminal_(terminal), line_(std::move(line)), width_(std::move(width)), timing_(timing) {
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
    try {
      if (const auto line = line_()) {
        terminal_ << clear_line << shorten(*line, width_()) << std::flush;
        drawn = true;
      }
    } catch (const std::bad_alloc&) {
      // The next one may be had; the request goes on in any case.
    }
  }
  if (drawn) {
    terminal_ << clear_line << std::flush;
  }
}

}  // namespace memplug
