// SPDX-License-Identifier: MIT
// stress-ng's virtual memory methods with its own verification, round after round: short ones, so
// that what it found is known soon.
#pragma once

#include <fstream>
#include <random>
#include <string>

#include "process.hpp"
#include "soak_board.hpp"

namespace soak {

class Stressor {
 public:
  explicit Stressor(std::uint64_t seed) : random_(seed) {}

  // Starts a round if none runs and there is time for one. What is wrong, or nothing.
  std::string tend(Clock::duration left) {
    if (process_) {
      const auto status = process_->ended();
      if (status) {
        return conclude(*status);
      }
      if (Clock::now() > deadline_) {
        return "stress-ng does not end";
      }
    } else if (left >= 5s) {
      start(left);
    }
    return {};
  }

  // Waits for the round that runs.
  std::string finish() {
    if (!process_) {
      return {};
    }
    const auto status = process_->await(deadline_ - Clock::now());
    return status ? conclude(*status) : "stress-ng does not end";
  }

  [[nodiscard]] std::uint64_t rounds() const { return rounds_; }
  [[nodiscard]] bool failed() const { return failed_; }
  [[nodiscard]] static const char* log() { return "/tmp/stress-ng.log"; }

 private:
  void start(Clock::duration left) {
    const auto seconds =
        std::min<std::int64_t>(20 + static_cast<std::int64_t>(random_() % 40),
                               std::chrono::duration_cast<std::chrono::seconds>(left).count());
    const std::uint64_t mebibytes = 64 + random_() % 128;
    deadline_ = Clock::now() + std::chrono::seconds(seconds) + patience;
    process_ =
        lab::run_program({"stress-ng", "--vm", "2", "--vm-bytes", std::to_string(mebibytes) + "M",
                          "--verify", "--timeout", std::to_string(seconds), "--seed",
                          std::to_string(random_() >> 1), "--temp-path", "/tmp"},
                         log());
  }

  std::string conclude(int status) {
    process_.reset();
    if (lab::succeeded(status)) {
      ++rounds_;
      return {};
    }
    failed_ = true;
    std::ifstream file(log());
    for (std::string line; std::getline(file, line);) {
      std::fprintf(stderr, "%s\n", line.c_str());
    }
    return "stress-ng failed";
  }

  std::mt19937_64 random_;
  std::optional<lab::Process> process_;
  Clock::time_point deadline_;
  std::uint64_t rounds_ = 0;
  bool failed_ = false;
};

}  // namespace soak
