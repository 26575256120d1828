// SPDX-License-Identifier: MIT
// Signal handlers without SA_RESTART. The handler sets a flag and re-arms; it must do nothing else.
#include "interrupt.hpp"

#include <unistd.h>

namespace memplug {
namespace {

volatile std::sig_atomic_t signalled = 0;

// A signal that comes just before the ioctl begins would interrupt nothing, and the request would
// run to its end. So it comes again, as SIGALRM, each second for as long as the guard lives.
extern "C" void note_signal(int /*signal*/) {
  signalled = 1;
  ::alarm(1);
}

}  // namespace

InterruptGuard::InterruptGuard() {
  signalled = 0;
  struct sigaction action {};
  action.sa_handler = note_signal;
  ::sigemptyset(&action.sa_mask);
  ::sigaction(SIGALRM, &action, &old_alarm_);
  ::sigaction(SIGINT, &action, &old_int_);
  ::sigaction(SIGTERM, &action, &old_term_);
}

InterruptGuard::~InterruptGuard() {
  ::sigaction(SIGINT, &old_int_, nullptr);
  ::sigaction(SIGTERM, &old_term_, nullptr);
  ::alarm(0);
  ::sigaction(SIGALRM, &old_alarm_, nullptr);
}

bool InterruptGuard::interrupted() { return signalled != 0; }

}  // namespace memplug
