// SPDX-License-Identifier: MIT
// What the fuzzer's processes share: what was reached, the inputs that reached it, figures, and
// whether to go on. Any of them may be killed at any moment, so nothing here is ever locked.
#pragma once

#include <atomic>

#include "fuzz_call.hpp"

namespace fuzz {

inline constexpr std::size_t max_processes = 32;
inline constexpr std::size_t nr_errnos = 134;
// A line of the table: the calls of the device, and ioctls on what is not the device.
inline constexpr std::size_t nr_calls = index_of(Operation::reopen);
inline constexpr std::size_t other_row = nr_calls;
inline constexpr std::size_t nr_rows = nr_calls + 1;

// What was seen so far. An index that has collided is one that is missed.
class Reached {
 public:
  bool add_edge(std::uint32_t index) { return add(edges_[index % edges_.size()], nr_edges_); }
  bool add_answer(std::uint32_t index) {
    return add(answers_[index % answers_.size()], nr_answers_);
  }
  [[nodiscard]] std::uint32_t edges() const { return nr_edges_; }
  [[nodiscard]] std::uint32_t answers() const { return nr_answers_; }

 private:
  static bool add(std::atomic<std::uint8_t>& seen, std::atomic<std::uint32_t>& count) {
    // Most of the time it was seen: reading leaves the cache line where it is.
    if (seen.load(std::memory_order_relaxed) != 0 || seen.exchange(1) != 0) {
      return false;
    }
    ++count;
    return true;
  }

  std::array<std::atomic<std::uint8_t>, 1 << 16> edges_{};
  std::array<std::atomic<std::uint8_t>, 1 << 12> answers_{};
  std::atomic<std::uint32_t> nr_edges_{0};
  std::atomic<std::uint32_t> nr_answers_{0};
};

// Inputs that reached something new. One whose writer was killed half-way is never ready.
class Corpus {
 public:
  void keep(const Sequence& sequence) {
    const std::uint32_t index = taken_++;
    if (index < entries_.size()) {
      entries_[index].sequence = sequence;
      entries_[index].ready.store(true, std::memory_order_release);
    }
  }
  [[nodiscard]] std::uint32_t size() const {
    return std::min<std::uint32_t>(taken_, entries_.size());
  }
  // Null if there is none (yet) at this index.
  [[nodiscard]] const Sequence* at(std::uint64_t index) const {
    const bool there = index < size() && entries_[index].ready.load(std::memory_order_acquire);
    return there ? &entries_[index].sequence : nullptr;
  }

 private:
  struct Entry {
    std::atomic<bool> ready{false};
    Sequence sequence;
  };
  std::atomic<std::uint32_t> taken_{0};
  std::array<Entry, 2048> entries_{};
};

struct Row {
  std::atomic<std::uint64_t> calls{0};
  std::atomic<std::uint64_t> passed{0};
  std::atomic<std::uint64_t> claimed{0};
  std::atomic<std::uint64_t> nanoseconds{0};
  std::array<std::atomic<std::uint64_t>, nr_errnos> errnos{};
};

struct Board {
  std::atomic<bool> stop{false};
  std::atomic<bool> pause{false};
  std::array<std::atomic<bool>, max_processes> resting{};
  std::array<Row, nr_rows> rows{};
  std::atomic<std::uint64_t> calls{0};
  std::atomic<std::uint64_t> faults_injected{0};
  std::atomic<std::uint64_t> late_unplug_faults{0};  // EFAULT after the work was done
  std::atomic<std::uint64_t> late_plug_faults{0};
  std::atomic<std::uint64_t> blocks_cycled{0};  // taken offline and back
  std::atomic<std::uint64_t> pages_dirtied{0};
  Reached reached;
  Corpus corpus;

  void count(std::size_t row, int error, bool passed, bool claimed) {
    Row& line = rows[row];
    ++line.calls;
    line.passed += passed ? 1 : 0;
    line.claimed += claimed ? 1 : 0;
    ++line.errnos[std::min<std::size_t>(static_cast<std::size_t>(error), nr_errnos - 1)];
    ++calls;
  }
};

}  // namespace fuzz
