// SPDX-License-Identifier: MIT
// While it lives SIGCHLD is as it is by default.
#pragma once

#include <csignal>

namespace memplug {

// An ignored SIGCHLD, which is inherited, would leave no exit status to wait for.
class DefaultChildSignal {
 public:
  DefaultChildSignal() {
    struct sigaction by_default {};
    by_default.sa_handler = SIG_DFL;
    ::sigaction(SIGCHLD, &by_default, &old_);
  }
  DefaultChildSignal(const DefaultChildSignal&) = delete;
  DefaultChildSignal& operator=(const DefaultChildSignal&) = delete;
  ~DefaultChildSignal() { ::sigaction(SIGCHLD, &old_, nullptr); }

 private:
  struct sigaction old_ {};
};

}  // namespace memplug
