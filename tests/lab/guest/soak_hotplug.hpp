// SPDX-License-Identifier: MIT
// A process that takes memory blocks offline and back, with and without unplugged memory in them.
// It rests only while every block is online.
#pragma once

#include <sys/time.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>

#include "soak_board.hpp"

namespace soak {

class Hotplug {
 public:
  Hotplug(Board& board, std::size_t slot, std::uint64_t seed)
      : board_(board), slot_(slot), random_(seed) {
    for (const auto& entry : std::filesystem::directory_iterator("/sys/devices/system/memory")) {
      std::ifstream zones(entry.path() / "valid_zones");
      std::string zone;
      if (zones >> zone && zone == "Normal") {
        blocks_.push_back(entry.path());
      }
    }
    // A folder has no order of its own, and the seed shall mean something.
    std::sort(blocks_.begin(), blocks_.end());
    if (blocks_.empty()) {
      lab::die("no memory block is in ZONE_NORMAL");
    }
  }

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
  using Blocks = std::vector<std::filesystem::path>;

  std::filesystem::path pick(const Blocks& blocks) { return blocks[random_() % blocks.size()]; }

  // Most that are picked blindly hold pages of the kernel's own, or take long and never go. One
  // that is unplugged goes, and until one has gone that is what is tried.
  std::filesystem::path choose() {
    const std::uint64_t dice = random_() % 3;
    if (dice == 0 || went_.empty()) {
      return unplug_one();
    }
    return dice == 1 ? pick(went_) : pick(blocks_);
  }

  // The one with most of it unplugged, after an attempt to unplug some whole. Others may plug it
  // again at once.
  std::filesystem::path unplug_one() {
    const lab::Device device(O_RDWR);
    const std::uint64_t size = device.info().out_memory_block_size;
    for (int attempts = 8; attempts > 0; --attempts) {
      auto request = lab::sized<memplug_request>();
      request.flags = MEMPLUG_REQ_RANGE | MEMPLUG_REQ_EXACT;
      request.length = size;
      request.start = number(pick(blocks_)) * size;
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

  static std::uint64_t number(const std::filesystem::path& block) {
    return std::stoull(block.filename().string().substr(6));
  }

  // How much of a block is unplugged, as LIST has it.
  class Unplugged {
   public:
    [[nodiscard]] std::uint64_t of(const std::filesystem::path& block) const {
      const std::uint64_t start = number(block) * size_;
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

  static bool set(const std::filesystem::path& state, const std::string& word) {
    const int file = ::open(state.c_str(), O_WRONLY | O_CLOEXEC);
    const bool done = file >= 0 && ::write(file, word.data(), word.size()) > 0;
    const int error = errno;
    ::close(file);
    errno = error;
    return done;
  }

  void cycle(const std::filesystem::path& block) {
    const std::filesystem::path state = block / "state";
    const bool unplugged = Unplugged().of(block) != 0;
    // The kernel tries for as long as no signal comes.
    itimerval timer{};
    timer.it_value.tv_sec = 3;
    timer.it_interval.tv_usec = 500000;
    ::setitimer(ITIMER_REAL, &timer, nullptr);
    const bool offline = set(state, "offline");
    timer = {};
    ::setitimer(ITIMER_REAL, &timer, nullptr);
    if (!offline) {
      ++board_.blocks_refused;
      return;
    }
    ++board_.blocks_offlined;
    if (std::find(went_.begin(), went_.end(), block) == went_.end()) {
      went_.push_back(block);
    }
    board_.blocks_with_unplugged += unplugged ? 1 : 0;
    std::this_thread::sleep_for(std::chrono::milliseconds(random_() % 100));
    const auto deadline = Clock::now() + patience;
    while (!set(state, "online_kernel")) {
      if (Clock::now() > deadline) {
        broke(board_, "%s does not come back: %s", block.filename().c_str(), std::strerror(errno));
      }
      std::this_thread::sleep_for(50ms);
    }
    ++board_.blocks_onlined;
  }

  Board& board_;
  std::size_t slot_;
  std::mt19937_64 random_;
  Blocks blocks_;
  Blocks went_;
};

}  // namespace soak
