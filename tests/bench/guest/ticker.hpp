// SPDX-License-Identifier: MIT
// A thread that wants to run every millisecond, as any program might, and notes when it did and how
// much memory the kernel then counted. While it runs, nothing here allocates or prints.
#pragma once

#include <sys/sysinfo.h>

#include <atomic>
#include <cstdint>
#include <ctime>
#include <thread>
#include <vector>

namespace bench {

using Nanoseconds = std::int64_t;

inline constexpr Nanoseconds millisecond = 1'000'000;
inline constexpr Nanoseconds second = 1'000'000'000;

inline Nanoseconds now() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * second + time.tv_nsec;
}

inline void sleep_until(Nanoseconds when) {
  const timespec time{.tv_sec = when / second, .tv_nsec = when % second};
  ::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nullptr);
}

// What MemTotal is made of: it falls as pages leave, with each of the drivers.
inline std::uint64_t total_memory() {
  struct sysinfo info {};
  ::sysinfo(&info);
  return std::uint64_t{info.totalram} * info.mem_unit;
}

struct Change {
  Nanoseconds at;
  std::uint64_t total;
};

class Ticker {
 public:
  Ticker() : ticks_(most_ticks), changes_(most_ticks) {}
  Ticker(const Ticker&) = delete;
  Ticker& operator=(const Ticker&) = delete;
  ~Ticker() { stop(); }

  void start() {
    count_ = 0;
    change_count_ = 0;
    running_ = true;
    latest_ = {now(), total_memory()};
    first_ = latest_;
    last_change_ = latest_.at;
    shown_total_ = latest_.total;
    last_tick_ = 0;
    thread_ = std::thread([this] { run(); });
    // What is measured is to begin and to end between two ticks.
    while (last_tick_ == 0) {
      sleep_until(now() + millisecond / 10);
    }
  }

  void stop() {
    running_ = false;
    if (thread_.joinable()) {
      thread_.join();
    }
  }

  // These four are for another thread while this one ticks.
  [[nodiscard]] bool full() const { return full_; }
  [[nodiscard]] std::uint64_t total() const { return shown_total_; }
  [[nodiscard]] Nanoseconds last_change() const { return last_change_; }
  [[nodiscard]] Nanoseconds last_tick() const { return last_tick_; }

  // The rest is for after stop().
  [[nodiscard]] std::vector<Change> changes() const {
    return {changes_.begin(), changes_.begin() + static_cast<std::ptrdiff_t>(change_count_)};
  }

  // Times between neighbouring ticks, of those that touch this stretch of time.
  [[nodiscard]] std::vector<Nanoseconds> gaps(Nanoseconds from, Nanoseconds to) const {
    std::vector<Nanoseconds> found;
    for (std::size_t i = 1; i < count_; ++i) {
      if (ticks_[i] > from && ticks_[i - 1] < to) {
        found.push_back(ticks_[i] - ticks_[i - 1]);
      }
    }
    return found;
  }

 private:
  // Nearly seven minutes.
  static constexpr std::size_t most_ticks = 400'000;

  void run() {
    Nanoseconds planned = first_.at;
    while (running_) {
      const Nanoseconds time = now();
      if (count_ == ticks_.size()) {
        full_ = true;
        return;
      }
      ticks_[count_++] = time;
      last_tick_ = time;
      const std::uint64_t total = total_memory();
      if (total != latest_.total) {
        latest_ = {time, total};
        changes_[change_count_++] = latest_;
        last_change_ = time;
        shown_total_ = total;
      }
      planned = std::max(planned + millisecond, time);
      sleep_until(planned);
    }
  }

  std::vector<Nanoseconds> ticks_;
  std::vector<Change> changes_;
  std::size_t count_ = 0;
  std::size_t change_count_ = 0;
  Change first_{};
  Change latest_{};
  std::atomic<bool> running_ = false;
  std::atomic<bool> full_ = false;
  std::atomic<std::uint64_t> shown_total_ = 0;
  std::atomic<Nanoseconds> last_change_ = 0;
  std::atomic<Nanoseconds> last_tick_ = 0;
  std::thread thread_;
};

}  // namespace bench
