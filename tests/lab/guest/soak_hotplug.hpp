// SPDX-License-Identifier: MIT
// A process that takes memory blocks offline and back, with and without unplugged memory in them.
// It rests only while every block is online.
#pragma once

#include <algorithm>
#include <csignal>
#include <random>

#include "memory_block.hpp"
#include "soak_board.hpp"

namespace soak {

class Hotplug {
 public:
  Hotplug(Board& board, std::size_t slot, std::uint64_t seed)
      : board_(board), slot_(slot), random_(seed) {}

  void run() {
    struct sigaction action {};
    action.sa_handler = [](int /*signal*/) {};
    ::sigaction(SIGALRM, &action, nullptr);
    Gate gate(board_, slot_);
    while (gate.enter()) {
      cycle(choose());
      gate.leave();
      // Claims wait for hotplug: most of the time there has to be none.
      std::this_thread::sleep_for(std::chrono::milliseconds(random_() % 1500));
    }
  }

 private:
  using Blocks = std::vector<lab::MemoryBlock>;

  lab::MemoryBlock pick(const Blocks& blocks) { return blocks[random_() % blocks.size()]; }

  // Most that are picked blindly hold pages of the kernel's own, or take long and never go. One
  // that is unplugged goes, and until one has gone that is what is tried.
  lab::MemoryBlock choose() {
    const std::uint64_t dice = random_() % 3;
    if (dice == 0 || went_.empty()) {
      return unplug_one();
    }
    return dice == 1 ? pick(went_) : pick(blocks_);
  }

  // The one with most of it unplugged, after an attempt to unplug some whole. Others may plug it
  // again at once.
  lab::MemoryBlock unplug_one() {
    const lab::Device device(O_RDWR);
    const std::uint64_t size = device.info().out_memory_block_size;
    for (int attempts = 8; attempts > 0; --attempts) {
      auto request = lab::sized<memplug_request>();
      request.flags = MEMPLUG_REQ_RANGE | MEMPLUG_REQ_EXACT;
      request.length = size;
      request.start = pick(blocks_).number() * size;
      // Every block is online: only this process changes that.
      if (const int error = device.call(MEMPLUG_IOC_UNPLUG, &request)) {
        broke(board_, "UNPLUG of a whole block: %s", std::strerror(error));
      }
      if (request.out_stop == MEMPLUG_STOP_NONE) {
        break;
      }
    }
    const Unplugged unplugged;
    return *std::max_element(blocks_.begin(), blocks_.end(), [&](const auto& one, const auto& two) {
      return unplugged.of(one) < unplugged.of(two);
    });
  }

  // How much of a block is unplugged, as LIST has it.
  class Unplugged {
   public:
    [[nodiscard]] std::uint64_t of(const lab::MemoryBlock& block) const {
      const std::uint64_t start = block.number() * size_;
      std::uint64_t sum = 0;
      for (const memplug_range& range : ranges_) {
        const std::uint64_t from = std::max<std::uint64_t>(range.start, start);
        const std::uint64_t to = std::min<std::uint64_t>(range.start + range.length, start + size_);
        sum += to > from ? to - from : 0;
      }
      return sum;
    }

   private:
    lab::Device device_{O_RDONLY};
    std::uint64_t size_ = device_.info().out_memory_block_size;
    std::vector<memplug_range> ranges_ = device_.list();
  };

  void cycle(const lab::MemoryBlock& block) {
    const bool unplugged = Unplugged().of(block) != 0;
    if (!block.take_offline(3s)) {
      ++board_.blocks_refused;
      return;
    }
    ++board_.blocks_offlined;
    if (std::find(went_.begin(), went_.end(), block) == went_.end()) {
      went_.push_back(block);
    }
    board_.blocks_with_unplugged += unplugged ? 1 : 0;
    std::this_thread::sleep_for(std::chrono::milliseconds(random_() % 100));
    if (const int error = block.bring_online(patience)) {
      broke(board_, "%s does not come back: %s", block.name().c_str(), std::strerror(error));
    }
    ++board_.blocks_onlined;
  }

  Board& board_;
  std::size_t slot_;
  std::mt19937_64 random_;
  const Blocks blocks_ = lab::normal_memory_blocks();
  Blocks went_;
};

}  // namespace soak
