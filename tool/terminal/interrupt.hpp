// SPDX-License-Identifier: MIT
// Turns Ctrl-C into a result: while a guard lives, SIGINT and SIGTERM do not end the process but
// make the running ioctl stop and report. One that was ignored from the start stays so.
#pragma once

#include <csignal>

namespace memplug {

// On the thread that makes the request. A guard within another one adds nothing: what the outer one
// has seen stays seen.
class InterruptGuard {
 public:
  InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;
  ~InterruptGuard();

  // Whether a signal came since the last outer guard was made.
  [[nodiscard]] static bool interrupted();
  // How many.
  [[nodiscard]] static int count();

 private:
  struct sigaction old_int_ {};
  struct sigaction old_term_ {};
  struct sigaction old_alarm_ {};
};

}  // namespace memplug
