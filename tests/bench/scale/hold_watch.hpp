// SPDX-License-Identifier: MIT
// How long the lock of the module's books is held by a call that is made several times.
#pragma once

#include <functional>

class HoldWatch {
 public:
  // One at a time.
  HoldWatch();
  ~HoldWatch() = default;
  HoldWatch(const HoldWatch&) = delete;
  HoldWatch& operator=(const HoldWatch&) = delete;

  // The calls are alike: they take the lock equally often.
  static void watch(const std::function<void()>& call);
  // A part of such a call that need not be looked at: reading the clock takes longer than it does.
  static void look_away(const std::function<void()>& part);

  // In ms of this thread's time. Each hold of a call counts with the best of all calls, as there
  // may be a million of them, and what the machine does beside it makes any one long.
  [[nodiscard]] static double longest();
};
