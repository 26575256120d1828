// SPDX-License-Identifier: MIT
// One unplug request to region and planner, as the module's request/candidates.c, unplug.c and
// request/contiguous.c make it, with a big machine in the place of pages.
#pragma once

#include "big_machine.hpp"

extern "C" {
#include "request/request.h"
}

class BigRequest {
 public:
  // With the books that request.c gives it. Throws std::bad_alloc.
  explicit BigRequest(const BigMachine& machine);
  ~BigRequest();
  BigRequest(const BigRequest&) = delete;
  BigRequest& operator=(const BigRequest&) = delete;

  // Every so many-th run can't be had and is split; 0: all can be had.
  void fail_every(unsigned long runs) { fail_every_ = runs; }

  // Takes so many subblocks, or all that can be had. Returns how many.
  unsigned long take(unsigned long wanted);
  // Takes one run. Returns whether there was one.
  bool take_contiguous(unsigned long nr, unsigned long align);
  // Plugs back what was taken.
  void plug_back();

  // The parts of it for themselves. plan_everything() returns how many runs there were.
  void snapshot();
  void look_at_everything();
  unsigned long plan_everything();

 private:
  void memplug_candidates_start();
  bool memplug_candidates_further(unsigned long portion);
  void look_until(unsigned long* cursor, unsigned long wanted, bool only_free);
  void look_at(unsigned long index, bool only_free);
  [[nodiscard]] unsigned long* map() const;
  bool fails();
  void split(subblock_run run);
  void claim(subblock_run run);

  const BigMachine& machine_;
  request* req_;
  unsigned long fail_every_ = 0;
  unsigned long runs_ = 0;
};
