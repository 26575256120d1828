// SPDX-License-Identifier: MIT
// posix_spawn(), and sigwaitinfo() with all that matters blocked: no signal can slip through
// between starting the command and waiting for it.
#include "child_process.hpp"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <string_view>
#include <system_error>

namespace memplug {
namespace {

constexpr int signal_base = 128;

void check(int error_number, const std::string& what) {
  if (error_number != 0) {
    throw std::system_error(error_number, std::generic_category(), what);
  }
}

// Blocked while it lives; SIGCHLD is as it is by default, for an ignored one tells nothing.
class WaitedSignals {
 public:
  WaitedSignals() {
    ::sigemptyset(&set_);
    for (const int signal : {SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM}) {
      ::sigaddset(&set_, signal);
    }
    check(::pthread_sigmask(SIG_BLOCK, &set_, &old_mask_), "cannot block signals");
    struct sigaction by_default {};
    by_default.sa_handler = SIG_DFL;
    ::sigaction(SIGCHLD, &by_default, &old_child_);
  }
  WaitedSignals(const WaitedSignals&) = delete;
  WaitedSignals& operator=(const WaitedSignals&) = delete;
  ~WaitedSignals() {
    ::sigaction(SIGCHLD, &old_child_, nullptr);
    ::pthread_sigmask(SIG_SETMASK, &old_mask_, nullptr);
  }

  [[nodiscard]] const sigset_t& old_mask() const { return old_mask_; }

  [[nodiscard]] siginfo_t wait() const {
    siginfo_t signal{};
    while (::sigwaitinfo(&set_, &signal) < 0) {
      check(errno == EINTR ? 0 : errno, "cannot wait for signals");
    }
    return signal;
  }

 private:
  sigset_t set_{};
  sigset_t old_mask_{};
  struct sigaction old_child_ {};
};

class SpawnSetup {
 public:
  // SIGPIPE is ours to ignore, not the command's.
  SpawnSetup(int descriptor, const sigset_t& mask) {
    check(::posix_spawn_file_actions_init(&actions_), "posix_spawn");
    check(::posix_spawnattr_init(&attributes_), "posix_spawn");
    if (descriptor >= 0) {
      // On itself: it stays open.
      check(::posix_spawn_file_actions_adddup2(&actions_, descriptor, descriptor), "posix_spawn");
    }
    sigset_t defaults{};
    ::sigemptyset(&defaults);
    ::sigaddset(&defaults, SIGPIPE);
    check(::posix_spawnattr_setsigdefault(&attributes_, &defaults), "posix_spawn");
    check(::posix_spawnattr_setsigmask(&attributes_, &mask), "posix_spawn");
    check(::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK),
          "posix_spawn");
  }
  SpawnSetup(const SpawnSetup&) = delete;
  SpawnSetup& operator=(const SpawnSetup&) = delete;
  ~SpawnSetup() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }

  [[nodiscard]] pid_t spawn(std::vector<std::string> command,
                            std::vector<std::string> environment) const {
    pid_t pid = 0;
    const auto words = pointers(command);
    const auto variables = pointers(environment);
    check(::posix_spawnp(&pid, words[0], &actions_, &attributes_, words.data(), variables.data()),
          command.front());
    return pid;
  }

 private:
  // As C wants them: ended by a null pointer.
  static std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> result;
    result.reserve(texts.size() + 1);
    for (std::string& text : texts) {
      result.push_back(text.data());
    }
    result.push_back(nullptr);
    return result;
  }

  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

std::vector<std::string> whole_environment(
    const std::vector<std::pair<std::string, std::string>>& added) {
  std::vector<std::string> all;
  all.reserve(added.size());
  for (const auto& [name, value] : added) {
    all.push_back(std::string(name).append("=").append(value));
  }
  const auto is_added = [&added](std::string_view variable) {
    const std::string_view name = variable.substr(0, variable.find('='));
    return std::ranges::any_of(added, [name](const auto& pair) { return pair.first == name; });
  };
  for (char** variable = environ; *variable != nullptr; ++variable) {
    if (!is_added(*variable)) {
      all.emplace_back(*variable);
    }
  }
  return all;
}

bool is_over(pid_t pid, int& status) {
  const pid_t got = ::waitpid(pid, &status, WNOHANG);
  check(got < 0 ? errno : 0, "cannot wait for the command");
  return got == pid;
}

}  // namespace

int run_child(const ChildProcess& child) {
  const WaitedSignals signals;
  const pid_t pid = SpawnSetup(child.descriptor, signals.old_mask())
                        .spawn(child.command, whole_environment(child.environment));
  int status = 0;
  while (!is_over(pid, status)) {
    const siginfo_t signal = signals.wait();
    const bool from_terminal =
        signal.si_code == SI_KERNEL && (signal.si_signo == SIGINT || signal.si_signo == SIGQUIT);
    if (signal.si_signo != SIGCHLD && !from_terminal) {
      ::kill(pid, signal.si_signo);
    }
  }
  return WIFSIGNALED(status) ? signal_base + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace memplug
