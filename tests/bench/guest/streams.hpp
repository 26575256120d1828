// SPDX-License-Identifier: MIT
// Programs beside the one that is measured, a thread each: they go through memory as STREAM's triad
// does, a = b + q * c, and note when they have done another piece. Nothing here allocates
// meanwhile.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

#include "ticker.hpp"

namespace bench {

class Streams {
 public:
  explicit Streams(unsigned count) : programs_(count) {
    for (Program& program : programs_) {
      program.thread = std::thread([this, &program] { run(program); });
    }
  }
  Streams(const Streams&) = delete;
  Streams& operator=(const Streams&) = delete;
  ~Streams() { stop(); }

  void stop() {
    running_ = false;
    for (Program& program : programs_) {
      if (program.thread.joinable()) {
        program.thread.join();
      }
    }
  }

  // The rest is for after stop().

  // Whether one could note no more.
  [[nodiscard]] bool full() const {
    return std::ranges::any_of(programs_,
                               [](const Program& program) { return program.count == most_pieces; });
  }

  // Of a stretch of time in which they ran.

  // MiB a second that all of them read and wrote.
  [[nodiscard]] double bandwidth(Nanoseconds from, Nanoseconds to) const {
    std::uint64_t pieces = 0;
    for (const Program& program : programs_) {
      for (std::size_t i = 0; i < program.count; ++i) {
        pieces += static_cast<std::uint64_t>(program.done[i] > from && program.done[i] <= to);
      }
    }
    return static_cast<double>(pieces * piece_bytes) / (1U << 20U) /
           (static_cast<double>(to - from) / second);
  }

  // The longest that one of them took for a piece.
  [[nodiscard]] Nanoseconds longest(Nanoseconds from, Nanoseconds to) const {
    Nanoseconds longest = 0;
    for (const Program& program : programs_) {
      for (std::size_t i = 1; i < program.count; ++i) {
        if (program.done[i] > from && program.done[i - 1] < to) {
          longest = std::max(longest, program.done[i] - program.done[i - 1]);
        }
      }
    }
    return longest;
  }

 private:
  // Three arrays of 16 MiB each, more than caches hold; a piece takes well below a millisecond.
  static constexpr std::size_t elements = std::size_t{2} << 20;
  static constexpr std::size_t piece = std::size_t{4} << 10;
  static constexpr std::size_t piece_bytes = 3 * piece * sizeof(double);
  static constexpr std::size_t most_pieces = 2'000'000;

  struct Program {
    std::vector<double> a = std::vector<double>(elements, 0.0);
    std::vector<double> b = std::vector<double>(elements, 1.0);
    std::vector<double> c = std::vector<double>(elements, 2.0);
    std::vector<Nanoseconds> done = std::vector<Nanoseconds>(most_pieces);
    std::size_t count = 0;
    std::thread thread;
  };

  void run(Program& program) {
    for (std::size_t first = 0; running_ && program.count < most_pieces;
         first = (first + piece) % elements) {
      for (std::size_t i = first; i < first + piece; ++i) {
        program.a[i] = program.b[i] + 3.0 * program.c[i];
      }
      program.done[program.count++] = now();
    }
  }

  std::vector<Program> programs_;
  std::atomic<bool> running_ = true;
};

}  // namespace bench
