// SPDX-License-Identifier: MIT
// Turns Ctrl-C into a result: while a guard lives, SIGINT and SIGTERM do not end the process but
// make the running ioctl stop and report.
#pragma once

#include <csignal>

namespace memplug {

// One at a time, on the thread that makes the request.
class InterruptGuard {
 public:
  InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;
  ~InterruptGuard();

  // Whether a signal came since the guard was made.
  [[nodiscard]] static bool interrupted();

 private:
  struct sigaction old_int_ {};
  struct sigaction old_term_ {};
  struct sigaction old_alarm_ {};
};

}  // namespace memplug
