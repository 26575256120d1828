// SPDX-License-Identifier: MIT
// The steps of a request, in the order and the portions of request/candidates.c, unplug.c and
// request/contiguous.c. Claims succeed at once, and there is no floor.
#include "big_request.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <stdexcept>

extern "C" {
#include <linux/nodemask.h>
#include <linux/slab.h>
}

namespace {

constexpr unsigned long run_length = 16;    // 64 MiB
constexpr unsigned long portion_used = 4;   // PORTION of request/candidates.c
constexpr unsigned long portions_max = 16;  // PORTIONS_MAX of request/candidates.c

template <typename Type>
Type* allocate(unsigned long nr) {
  void* memory = kvcalloc(nr, sizeof(Type), GFP_KERNEL);
  if (memory == nullptr) {
    throw std::bad_alloc();
  }
  return static_cast<Type*>(memory);
}

}  // namespace

unsigned long* BigRequest::map() const {
  return allocate<unsigned long>(BITS_TO_LONGS(req_->view.nr) + 1);
}

// What memplug_request_alloc() and alloc_books() of request/dispatch.c allocate.
BigRequest::BigRequest(const BigMachine& machine) : machine_(machine), req_(allocate<request>(1)) {
  req_->view.nr = memplug_region_nr();
  req_->changed = map();
  req_->retry = map();
  req_->view.ready = map();
  req_->view.busy = map();
  req_->view.seams = map();
  req_->plan.splits = map();
  req_->plan.cost = allocate<unsigned char>(req_->view.nr + 1);
}

BigRequest::~BigRequest() {
  kvfree(req_->changed);
  kvfree(req_->retry);
  kvfree(req_->view.ready);
  kvfree(req_->view.busy);
  kvfree(req_->view.seams);
  kvfree(req_->plan.splits);
  kvfree(req_->plan.cost);
  kvfree(req_);
}

void BigRequest::snapshot() {
  memplug_region_snapshot(REGION_UNPLUG, {0, req_->view.nr}, NUMA_NO_NODE, &req_->view);
}

void BigRequest::memplug_candidates_start() {
  plan& plan = req_->plan;
  snapshot();
  plan.candidates = req_->view.ready;
  plan.seams = req_->view.seams;
  plan.nr = req_->view.nr;
  plan.block = machine_.block();
  plan.max_free_run = run_length;
  plan.max_run = run_length;
  req_->free_looked = plan.nr;
  req_->used_looked = plan.nr;
  std::memset(plan.cost, PLAN_FREE, plan.nr);
  unsigned long i = 0;
  for_each_set_bit(i, plan.candidates, plan.nr) { plan.cost[i] = PLAN_UNKNOWN; }
  bitmap_zero(plan.splits, plan.nr);
  memplug_plan_start(&plan);
}

void BigRequest::look_at(unsigned long index, bool only_free) {
  plan& plan = req_->plan;
  const unsigned char cost = machine_.cost()[index];
  if (!memplug_region_is_managed({index, 1}) || (only_free && cost != PLAN_FREE)) {
    return;
  }
  memplug_plan_set_cost(&plan, index, cost);
  if (cost == PLAN_KEPT) {
    __clear_bit(index, plan.candidates);
  } else {
    req_->nr_looked++;
  }
}

void BigRequest::look_until(unsigned long* cursor, unsigned long wanted, bool only_free) {
  const plan& plan = req_->plan;
  while (*cursor != 0 && req_->nr_looked < wanted) {
    const unsigned long i = find_last_bit(plan.candidates, *cursor);
    if (i >= *cursor) {
      *cursor = 0;
      break;
    }
    *cursor = i;
    if (plan.cost[i] == PLAN_UNKNOWN) {
      look_at(i, only_free);
    }
  }
}

bool BigRequest::memplug_candidates_further(unsigned long portion) {
  req_->nr_looked = 0;
  look_until(&req_->free_looked, portion, true);
  if (req_->nr_looked == 0) {
    look_until(&req_->used_looked, portion_used * portion, false);
  }
  memplug_plan_start(&req_->plan);
  return req_->nr_looked != 0;
}

void BigRequest::look_at_everything() {
  memplug_candidates_start();
  look_until(&req_->used_looked, req_->view.nr, false);
  memplug_plan_start(&req_->plan);
}

unsigned long BigRequest::plan_everything() {
  unsigned long runs = 0;
  subblock_run run{};
  while (memplug_plan_next(&req_->plan, req_->view.nr, &run)) {
    runs++;
  }
  return runs;
}

bool BigRequest::fails() { return fail_every_ != 0 && ++runs_ % fail_every_ == 0; }

// By turns without a hint of what is in the way, and with one.
void BigRequest::split(subblock_run run) {
  std::array<unsigned long, BITS_TO_LONGS(PLAN_MAX_RUN)> blocked{};
  if (runs_ / fail_every_ % 2 == 0) {
    __set_bit(run.nr / 2, blocked.data());
  }
  memplug_plan_split(&req_->plan, run, blocked.data());
}

void BigRequest::claim(subblock_run run) {
  if (!memplug_region_reserve(run, REGION_UNPLUG)) {
    throw std::logic_error("the planner handed out what is not plugged");
  }
  memplug_region_commit(run, REGION_UNPLUG, REGION_ASKED);
  bitmap_set(req_->changed, run.first, run.nr);
  req_->done += run.nr;
}

unsigned long BigRequest::take(unsigned long wanted) {
  req_->requested = wanted;
  memplug_candidates_start();
  while (request_missing(req_) != 0) {
    subblock_run run{};
    if (!memplug_plan_next(&req_->plan, request_missing(req_), &run)) {
      if (!memplug_candidates_further(request_missing(req_))) {
        break;
      }
    } else if (fails()) {
      split(run);
    } else {
      claim(run);
    }
  }
  return req_->done;
}

bool BigRequest::take_contiguous(unsigned long nr, unsigned long align) {
  subblock_run run{};
  req_->requested = nr;
  memplug_candidates_start();
  while (!memplug_plan_next_contiguous(&req_->plan, nr, align, &run)) {
    if (!memplug_candidates_further(std::max(nr, req_->view.nr / portions_max))) {
      return false;
    }
  }
  for (unsigned long done = 0; done < nr; done += run_length) {
    claim({run.first + done, std::min(run_length, nr - done)});
  }
  return true;
}

void BigRequest::plug_back() {
  unsigned long i = 0;
  for_each_set_bit(i, req_->changed, req_->view.nr) {
    if (!memplug_region_reserve({i, 1}, REGION_PLUG)) {
      throw std::logic_error("what was taken is not unplugged");
    }
    memplug_region_commit({i, 1}, REGION_PLUG, REGION_ASKED);
    __clear_bit(i, req_->changed);
    req_->done--;
  }
}
