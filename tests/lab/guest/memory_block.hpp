// SPDX-License-Identifier: MIT
// The kernel's memory blocks, in sysfs: which are in ZONE_NORMAL, and taking one offline and back.
// Whoever does that handles SIGALRM, which is what ends the kernel's attempts.
#pragma once

#include <sys/time.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "memplug_device.hpp"

namespace lab {

class MemoryBlock {
 public:
  explicit MemoryBlock(std::filesystem::path folder) : folder_(std::move(folder)) {}

  bool operator==(const MemoryBlock&) const = default;
  auto operator<=>(const MemoryBlock&) const = default;

  [[nodiscard]] std::string name() const { return folder_.filename().string(); }
  [[nodiscard]] std::uint64_t number() const { return std::stoull(name().substr(6)); }

  // The kernel tries for as long as no signal comes. Whether it is offline now.
  [[nodiscard]] bool take_offline(std::chrono::milliseconds limit) const {
    using namespace std::chrono_literals;
    itimerval timer{};
    timer.it_value.tv_sec = limit / 1s;
    timer.it_value.tv_usec = limit % 1s / 1us;
    // Again, in case the first one came before the kernel had begun.
    timer.it_interval.tv_usec = 500000;
    ::setitimer(ITIMER_REAL, &timer, nullptr);
    const bool done = set("offline");
    timer = {};
    ::setitimer(ITIMER_REAL, &timer, nullptr);
    return done;
  }

  // In ZONE_NORMAL. 0, or the errno of the last attempt before the limit.
  [[nodiscard]] int bring_online(std::chrono::seconds limit) const {
    using namespace std::chrono_literals;
    const auto deadline = std::chrono::steady_clock::now() + limit;
    while (!set("online_kernel")) {
      const int error = errno;
      if (std::chrono::steady_clock::now() > deadline) {
        return error;
      }
      std::this_thread::sleep_for(50ms);
    }
    return 0;
  }

 private:
  // Leaves errno as writing does.
  [[nodiscard]] bool set(const std::string& word) const {
    const int file = ::open((folder_ / "state").c_str(), O_WRONLY | O_CLOEXEC);
    const bool done = file >= 0 && ::write(file, word.data(), word.size()) > 0;
    const int error = errno;
    if (file >= 0) {
      ::close(file);
    }
    errno = error;
    return done;
  }

  std::filesystem::path folder_;
};

// In an order that is the same each time: a folder has none of its own.
inline std::vector<MemoryBlock> normal_memory_blocks() {
  std::vector<MemoryBlock> blocks;
  for (const auto& entry : std::filesystem::directory_iterator("/sys/devices/system/memory")) {
    std::ifstream zones(entry.path() / "valid_zones");
    std::string zone;
    if (zones >> zone && zone == "Normal") {
      blocks.emplace_back(entry.path());
    }
  }
  if (blocks.empty()) {
    die("no memory block is in ZONE_NORMAL");
  }
  std::sort(blocks.begin(), blocks.end());
  return blocks;
}

}  // namespace lab
