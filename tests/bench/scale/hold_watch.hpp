// SPDX-License-Identifier: MIT
// How long the lock of the module's books is held, at the longest, while this lives.
#pragma once

class HoldWatch {
 public:
  // One at a time.
  HoldWatch();
  ~HoldWatch();
  HoldWatch(const HoldWatch&) = delete;
  HoldWatch& operator=(const HoldWatch&) = delete;

  // In ms of this thread's time: what the machine does beside it does not count.
  [[nodiscard]] static double longest();
};
