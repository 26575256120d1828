// SPDX-License-Identifier: MIT
// What else a machine does while memory is unplugged: a process that dirties memory and lets go of
// it, and one that takes memory blocks offline and back. Both lie still when the books are looked
// at, with every block online.
#pragma once

#include "fuzz_process.hpp"
#include "memory_block.hpp"
#include "zoneinfo.hpp"

namespace fuzz {

inline void take_break(std::mt19937_64& random, std::chrono::milliseconds longest) {
  std::this_thread::sleep_for(
      std::chrono::milliseconds(random() % static_cast<std::uint64_t>(longest.count())));
}

class Pressure {
 public:
  Pressure(Board& board, std::size_t slot, std::uint64_t seed, std::int64_t slowness)
      : board_(board), slot_(slot), random_(seed), longest_break_(1000 * slowness) {}

  void run() {
    while (!board_.stop) {
      rest_if_asked(board_, slot_);
      dirty_and_free((64 + random_() % 448) << 20);
      take_break(random_, longest_break_);
    }
  }

 private:
  // What is left to others: the out-of-memory killer is not what is tested here.
  static constexpr std::uint64_t margin_kib = 768 << 10;

  void dirty_and_free(std::size_t size) {
    constexpr std::size_t step = 4 << 20;
    void* memory =
        ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
      lab::die("mmap: %s", std::strerror(errno));
    }
    auto* bytes = static_cast<volatile char*>(memory);
    for (std::size_t done = 0; done < size && !board_.stop && !board_.pause; done += step) {
      if (lab::meminfo_kib("MemAvailable") < margin_kib) {
        break;
      }
      for (std::size_t i = done; i < std::min(done + step, size); i += 4096) {
        bytes[i] = 1;
      }
      board_.pages_dirtied += step / 4096;
    }
    ::munmap(memory, size);
  }

  Board& board_;
  std::size_t slot_;
  std::mt19937_64 random_;
  std::chrono::milliseconds longest_break_;
};

class Hotplug {
 public:
  Hotplug(Board& board, std::size_t slot, std::uint64_t seed, std::int64_t slowness)
      : board_(board), slot_(slot), random_(seed), longest_break_(3000 * slowness) {}

  void run() {
    while (!board_.stop) {
      rest_if_asked(board_, slot_);
      cycle(blocks_[random_() % blocks_.size()]);
      // Claims wait for hotplug: most of the time there has to be none.
      take_break(random_, longest_break_);
    }
  }

 private:
  void cycle(const lab::MemoryBlock& block) {
    if (!block.take_offline(std::chrono::milliseconds(500))) {
      return;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(random_() % 100));
    if (const int error = block.bring_online(std::chrono::seconds(30))) {
      lab::die("%s does not come back: %s", block.name().c_str(), std::strerror(error));
    }
    ++board_.blocks_cycled;
  }

  Board& board_;
  std::size_t slot_;
  std::mt19937_64 random_;
  std::chrono::milliseconds longest_break_;
  const std::vector<lab::MemoryBlock> blocks_ = lab::normal_memory_blocks();
};

}  // namespace fuzz
