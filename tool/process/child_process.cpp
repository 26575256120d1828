// SPDX-License-Identifier: MIT
// sigwaitinfo() with all that matters blocked: no signal can slip through between starting the
// command and waiting for it.
#include "process/child_process.hpp"

#include <sys/wait.h>

#include <cerrno>
#include <csignal>
#include <system_error>

#include "process/child_signal.hpp"

namespace memplug {
namespace {

constexpr int signal_base = 128;

void check(int error_number, const std::string& what) {
  if (error_number != 0) {
    throw std::system_error(error_number, std::generic_category(), what);
  }
}

bool is_ignored(int signal) {
  struct sigaction action {};
  ::sigaction(signal, nullptr, &action);
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-cstyle-cast,performance-no-int-to-ptr): the macro's
  return action.sa_handler == SIG_IGN;
}

// Blocked while it lives. The others than SIGCHLD stay ignored if they are: blocked they would be
// told of.
class WaitedSignals {
 public:
  WaitedSignals() {
    ::sigemptyset(&set_);
    ::sigaddset(&set_, SIGCHLD);
    for (const int signal : {SIGHUP, SIGINT, SIGQUIT, SIGTERM}) {
      if (!is_ignored(signal)) {
        ::sigaddset(&set_, signal);
      }
    }
    check(::pthread_sigmask(SIG_BLOCK, &set_, &old_mask_), "cannot block signals");
  }
  WaitedSignals(const WaitedSignals&) = delete;
  WaitedSignals& operator=(const WaitedSignals&) = delete;
  ~WaitedSignals() { ::pthread_sigmask(SIG_SETMASK, &old_mask_, nullptr); }

  [[nodiscard]] const sigset_t& old_mask() const { return old_mask_; }

  [[nodiscard]] siginfo_t wait() const {
    siginfo_t signal{};
    while (::sigwaitinfo(&set_, &signal) < 0) {
      check(errno == EINTR ? 0 : errno, "cannot wait for signals");
    }
    return signal;
  }

  // Of those that came and are still to be waited for.
  [[nodiscard]] static bool is_pending(int signal) {
    sigset_t pending{};
    ::sigpending(&pending);
    return ::sigismember(&pending, signal) == 1;
  }

 private:
  sigset_t set_{};
  sigset_t old_mask_{};
  const DefaultChildSignal child_signal_;
};

bool is_over(pid_t pid, int& status) {
  const pid_t got = ::waitpid(pid, &status, WNOHANG);
  check(got < 0 ? errno : 0, "cannot wait for the command");
  return got == pid;
}

}  // namespace

std::optional<int> run_child(const ChildProcess& child) {
  const WaitedSignals signals;
  SpawnSetup setup;
  setup.set_mask(signals.old_mask());
  for (const int descriptor : child.descriptors) {
    setup.pass(descriptor, descriptor);
  }
  if (child.called_off()) {
    return std::nullopt;
  }
  const pid_t pid = setup.spawn(child.command, child.environment);
  // What the terminal sent before there was a command is ours alone; that it may come twice if it
  // was sent just now is better than never.
  for (const int signal : {SIGINT, SIGQUIT}) {
    if (WaitedSignals::is_pending(signal)) {
      ::kill(pid, signal);
    }
  }
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
