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
      // Many hold the kernel's own pages and never go: half of the time one that has gone before.
      cycle(went_.empty() || random_() % 2 == 0 ? pick(blocks_) : pick(went_));
      gate.leave();
      // Claims wait for hotplug: most of the time there has to be none.
      std::this_thread::sleep_for(std::chrono::milliseconds(random_() % 1500));
    }
  }

 private:
  using Blocks = std::vector<std::filesystem::path>;

  std::filesystem::path pick(const Blocks& blocks) { return blocks[random_() % blocks.size()]; }

  static bool set(const std::filesystem::path& state, const std::string& word) {
    const int file = ::open(state.c_str(), O_WRONLY | O_CLOEXEC);
    const bool done = file >= 0 && ::write(file, word.data(), word.size()) > 0;
    const int error = errno;
    ::close(file);
    errno = error;
    return done;
  }

  static bool has_unplugged(const std::filesystem::path& block) {
    const lab::Device device(O_RDONLY);
    const std::uint64_t size = device.info().out_memory_block_size;
    const std::uint64_t start = std::stoull(block.filename().string().substr(6)) * size;
    const std::vector<memplug_range> ranges = device.list();
    return std::any_of(ranges.begin(), ranges.end(), [&](const memplug_range& range) {
      return range.start < start + size && range.start + range.length > start;
    });
  }

  void cycle(const std::filesystem::path& block) {
    const std::filesystem::path state = block / "state";
    const bool unplugged = has_unplugged(block);
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
