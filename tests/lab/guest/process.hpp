// SPDX-License-Identifier: MIT
// Starts processes, and waits for them with a deadline. A child dies with its parent. And memory
// that they all see, which whoever is killed leaves as it is.
#pragma once

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <chrono>
#include <csignal>
#include <functional>
#include <new>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "memplug_device.hpp"

namespace lab {

// Never given back.
template <typename T>
T& new_shared() {
  void* shared =
      ::mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) {
    die("mmap: %s", std::strerror(errno));
  }
  return *::new (shared) T{};
}

// Killed, if it still runs, when this goes.
class Process {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Process(const std::function<void()>& body) {
    std::fflush(nullptr);
    const pid_t parent = ::getpid();
    pid_ = ::fork();
    if (pid_ < 0) {
      die("fork: %s", std::strerror(errno));
    }
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      // It may have died before that.
      if (::getppid() == parent) {
        run(body);
      }
      std::fflush(nullptr);
      // No destructors of what the parent owns.
      std::_Exit(0);
    }
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  Process(Process&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}
  Process& operator=(Process&& other) noexcept {
    std::swap(pid_, other.pid_);
    return *this;
  }
  ~Process() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
  }

  // To nobody, once it is known to have ended.
  void signal(int number) const {
    if (pid_ > 0) {
      ::kill(pid_, number);
    }
  }

  // Its wait status, if it has ended; that is told once.
  std::optional<int> ended() {
    int status = 0;
    if (pid_ <= 0 || ::waitpid(pid_, &status, WNOHANG) != pid_) {
      return std::nullopt;
    }
    pid_ = -1;
    return status;
  }

  // Nothing, if it has not ended in that time.
  std::optional<int> await(Clock::duration limit) {
    const auto deadline = Clock::now() + limit;
    for (;;) {
      if (const auto status = ended()) {
        return status;
      }
      if (Clock::now() > deadline) {
        return std::nullopt;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  }

 private:
  // What is thrown has no way into what the parent was doing.
  static void run(const std::function<void()>& body) noexcept { body(); }

  pid_t pid_ = -1;
};

// Runs a program, both its streams into a file.
inline Process run_program(const std::vector<std::string>& words, const std::string& log) {
  return Process([words, log] {
    const int file = ::open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ::dup2(file, STDOUT_FILENO);
    ::dup2(file, STDERR_FILENO);
    std::vector<char*> arguments;
    for (const std::string& word : words) {
      arguments.push_back(const_cast<char*>(word.c_str()));
    }
    arguments.push_back(nullptr);
    ::execvp(arguments[0], arguments.data());
    die("%s: %s", arguments[0], std::strerror(errno));
  });
}

inline bool succeeded(int status) { return WIFEXITED(status) && WEXITSTATUS(status) == 0; }
inline bool was_killed(int status) { return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL; }

}  // namespace lab
