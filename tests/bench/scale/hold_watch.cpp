// SPDX-License-Identifier: MIT
// The clock of the thread, read when the stand-in for the kernel's lock is taken and let go.
#include "hold_watch.hpp"

#include <algorithm>
#include <ctime>

extern "C" {
#include <linux/spinlock.h>
}

namespace {

double taken_at;
double longest_hold;

double now() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
}

extern "C" void watch(bool taken) {
  if (taken) {
    taken_at = now();
  } else {
    longest_hold = std::max(longest_hold, now() - taken_at);
  }
}

}  // namespace

HoldWatch::HoldWatch() {
  longest_hold = 0;
  machine_lock_watch = watch;
}

HoldWatch::~HoldWatch() { machine_lock_watch = nullptr; }

double HoldWatch::longest() { return longest_hold; }
