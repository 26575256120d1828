// SPDX-License-Identifier: MIT
// What else a machine does while memory is unplugged: a process that dirties memory and lets go of
// it, and one that takes memory blocks offline and back. Both lie still when the books are looked
// at, with every block online.
#pragma once

#include <filesystem>

#include "fuzz_process.hpp"

namespace fuzz {

class Pressure {
 public:
  Pressure(Board& board, std::size_t slot, std::uint64_t seed)
      : board_(board), slot_(slot), random_(seed) {}

  void run() {
    while (!board_.stop) {
      rest_if_asked(board_, slot_);
      dirty_and_free((64 + random_() % 448) << 20);
      std::this_thread::sleep_for(std::chrono::milliseconds(random_() % 1000));
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
      if (available_kib() < margin_kib) {
        break;
      }
      for (std::size_t i = done; i < std::min(done + step, size); i += 4096) {
        bytes[i] = 1;
      }
      board_.pages_dirtied += step / 4096;
    }
    ::munmap(memory, size);
  }

  static std::uint64_t available_kib() {
    std::ifstream file("/proc/meminfo");
    for (std::string name; file >> name; file.ignore(256, '\n')) {
      if (name == "MemAvailable:") {
        std::uint64_t kib = 0;
        file >> kib;
        return kib;
      }
    }
    lab::die("/proc/meminfo has no MemAvailable");
  }

  Board& board_;
  std::size_t slot_;
  std::mt19937_64 random_;
};

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
    if (blocks_.empty()) {
      lab::die("no memory block is in ZONE_NORMAL");
    }
  }

  void run() {
    while (!board_.stop) {
      rest_if_asked(board_, slot_);
      cycle(blocks_[random_() % blocks_.size()] / "state");
      // Claims wait for hotplug: most of the time there has to be none.
      std::this_thread::sleep_for(std::chrono::milliseconds(random_() % 3000));
    }
  }

 private:
  static bool set(const std::filesystem::path& state, std::string_view word) {
    const int file = ::open(state.c_str(), O_WRONLY | O_CLOEXEC);
    const bool done = file >= 0 && ::write(file, word.data(), word.size()) > 0;
    ::close(file);
    return done;
  }

  void cycle(const std::filesystem::path& state) {
    // The kernel tries for as long as no signal comes.
    itimerval timer{};
    timer.it_value.tv_usec = 500000;
    ::setitimer(ITIMER_REAL, &timer, nullptr);
    const bool offline = set(state, "offline");
    timer = {};
    ::setitimer(ITIMER_REAL, &timer, nullptr);
    if (!offline) {
      return;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(random_() % 100));
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!set(state, "online_kernel")) {
      if (std::chrono::steady_clock::now() > deadline) {
        lab::die("%s does not come back: %s", state.c_str(), std::strerror(errno));
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    ++board_.blocks_cycled;
  }

  Board& board_;
  std::size_t slot_;
  std::mt19937_64 random_;
  std::vector<std::filesystem::path> blocks_;
};

}  // namespace fuzz
