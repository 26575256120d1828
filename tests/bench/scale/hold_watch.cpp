// SPDX-License-Identifier: MIT
// The clock of the thread, read when the stand-in for the kernel's lock is taken and let go.
#include "hold_watch.hpp"

#include <algorithm>
#include <ctime>
#include <vector>

extern "C" {
#include <linux/spinlock.h>
}

namespace {

std::vector<double> holds;
std::size_t position;
double taken_at;

double now() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
}

extern "C" void note(bool taken) {
  if (taken) {
    taken_at = now();
    return;
  }
  const double held = now() - taken_at;
  if (position == holds.size()) {
    holds.push_back(held);
  } else {
    holds[position] = std::min(holds[position], held);
  }
  position++;
}

}  // namespace

HoldWatch::HoldWatch() { holds.clear(); }

void HoldWatch::watch(const std::function<void()>& call) {
  position = 0;
  machine_lock_watch = note;
  call();
  machine_lock_watch = nullptr;
}

void HoldWatch::look_away(const std::function<void()>& part) {
  const auto watching = machine_lock_watch;
  machine_lock_watch = nullptr;
  part();
  machine_lock_watch = watching;
}

double HoldWatch::longest() {
  return holds.empty() ? 0 : *std::max_element(holds.begin(), holds.end());
}
