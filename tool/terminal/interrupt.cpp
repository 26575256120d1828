// SPDX-License-Identifier: MIT
// Signal handlers without SA_RESTART. The handler counts and re-arms; it must do nothing else.
#include "terminal/interrupt.hpp"

#include <unistd.h>

namespace memplug {
namespace {

volatile std::sig_atomic_t signals = 0;
int guards = 0;

// A signal that comes just before the ioctl begins would interrupt nothing, and the request would
// run to its end. So it comes again, as SIGALRM, each second for as long as the guard lives.
extern "C" void note_signal(int signal) {
  if (signal != SIGALRM) {
    signals = signals + 1;
  }
  ::alarm(1);
}

void catch_signal(int signal, struct sigaction& old) {
  struct sigaction action {};
  action.sa_handler = note_signal;
  ::sigemptyset(&action.sa_mask);
  ::sigaction(signal, &action, &old);
}

// Whoever started us may have had a signal ignored, as a script has SIGINT for what it runs in the
// background; then it is not meant for us.
void catch_unless_ignored(int signal, struct sigaction& old) {
  ::sigaction(signal, nullptr, &old);
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-cstyle-cast,performance-no-int-to-ptr): the macro's
  if (old.sa_handler != SIG_IGN) {
    catch_signal(signal, old);
  }
}

}  // namespace

InterruptGuard::InterruptGuard() {
  if (guards++ != 0) {
    return;
  }
  signals = 0;
  catch_signal(SIGALRM, old_alarm_);
  catch_unless_ignored(SIGINT, old_int_);
  catch_unless_ignored(SIGTERM, old_term_);
}

InterruptGuard::~InterruptGuard() {
  if (--guards != 0) {
    return;
  }
  ::sigaction(SIGINT, &old_int_, nullptr);
  ::sigaction(SIGTERM, &old_term_, nullptr);
  ::alarm(0);
  ::sigaction(SIGALRM, &old_alarm_, nullptr);
}

bool InterruptGuard::interrupted() { return signals != 0; }

int InterruptGuard::count() { return signals; }

}  // namespace memplug
