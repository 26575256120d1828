// SPDX-License-Identifier: MIT
// How much memory is looked at while memory hotplug has to wait: the module's own
// request/candidates.c and inspect.c, with subblocks of every size.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <vector>

extern "C" {
#include <linux/memory.h>
#include <linux/mm.h>

#include "counters.h"
#include "device/inspect.h"
#include "machine/hotplug.h"
#include "machine/ram.h"
#include "memory/survey.h"
#include "request/candidates.h"
#include "request/signals.h"
#include "request/unmanaged.h"
}

namespace {

constexpr unsigned long subblocks = 256;
constexpr unsigned long most_at_once = 256UL << 20U;
constexpr std::array<unsigned int, 3> orders{9, 10, 19};  // 2 MiB, 4 MiB, 2 GiB

bool excluded = false;
unsigned long looked_at = 0;
unsigned long longest = 0;
bool all_in_use = false;

unsigned long look_at(unsigned long pages) {
  EXPECT_TRUE(excluded) << "struct pages were read with memory hotplug free to begin";
  looked_at += pages << PAGE_SHIFT;
  longest = std::max(longest, looked_at);
  return pages;
}

}  // namespace

// What the two files ask of the others.
extern "C" {
unsigned int memplug_subblock_order = 10;
unsigned int machine_locks_held = 0;
void (*machine_meanwhile)() = nullptr;

int memplug_hotplug_exclude() {
  excluded = true;
  looked_at = 0;
  return 0;
}
void memplug_hotplug_exclude_events() { excluded = true; }
void memplug_hotplug_allow() { excluded = false; }
bool memplug_hotplug_wait(unsigned long /*timeout*/) { return true; }
bool memplug_signals_are_due() { return false; }
bool memplug_request_should_stop(request* /*req*/) { return false; }
void memplug_request_block(request* /*req*/, unsigned long /*index*/, u32 /*reason*/,
                           unsigned long /*pfn*/) {}
void memplug_counters_add_survey(u64 /*ns*/) {}
unsigned long memory_block_size_bytes() { return 128UL << 20U; }
int memplug_region_place(unsigned long /*index*/) { return 0; }
bool memplug_region_is_managed(subblock_run /*run*/) { return true; }
bool memplug_region_find_unmanaged(subblock_run within, subblock_run* bad) {
  *bad = within;
  return true;
}
u32 memplug_region_state(unsigned long /*index*/, int* nid, u32* flags) {
  *nid = 0;
  *flags = 0;
  return MEMPLUG_SUBBLOCK_PLUGGED;
}
u32 memplug_ram_judge_unmanaged(unsigned long /*pfn*/, unsigned long /*pages*/) {
  EXPECT_TRUE(excluded) << "struct pages were read with memory hotplug free to begin";
  return MEMPLUG_BAD_ZONE;
}
unsigned long memplug_ram_next(unsigned long /*pfn*/) { return ~0UL; }
bool memplug_survey_all_free(unsigned long /*pfn*/, unsigned long pages) {
  return look_at(pages) != 0 && !all_in_use;
}
void memplug_survey_pages(unsigned long /*pfn*/, unsigned long pages, survey* survey) {
  *survey = {};
  survey->movable = look_at(pages);
}
}

namespace {

class Looks : public testing::TestWithParam<unsigned int> {
 protected:
  void SetUp() override {
    memplug_subblock_order = GetParam();
    longest = 0;
    all_in_use = false;
  }

  static void expect_short_looks() {
    EXPECT_GT(longest, 0U);
    EXPECT_LE(longest, std::max<unsigned long>(most_at_once, subblock_bytes()));
  }
};

TEST_P(Looks, ASurveyLooksAtLittleAtATime) {
  std::vector<memplug_subblock> records(subblocks);
  u32 count = 0;
  EXPECT_EQ(memplug_inspect({0, subblocks}, records.data(), subblocks, &count), subblocks);
  EXPECT_EQ(count, subblocks);
  expect_short_looks();
}

TEST_P(Looks, ARequestLooksAtLittleAtATime) {
  for (const bool in_use : {false, true}) {
    all_in_use = in_use;
    request req{};
    std::vector<unsigned long> ready(subblocks / 64, ~0UL);
    std::vector<unsigned long> splits(subblocks / 64);
    std::vector<unsigned long> seams(subblocks / 64);
    std::vector<unsigned long> retry(subblocks / 64);
    std::vector<unsigned char> cost(subblocks + 1);
    req.view.ready = ready.data();
    req.view.seams = seams.data();
    req.view.nr = subblocks;
    req.retry = retry.data();
    req.plan.splits = splits.data();
    req.plan.cost = cost.data();
    req.by_cost = true;
    req.requested = subblocks;
    memplug_candidates_start(&req);
    EXPECT_TRUE(memplug_candidates_further(&req));
    EXPECT_EQ(req.nr_looked, subblocks);
    expect_short_looks();
  }
}

TEST_P(Looks, WhatIsNotManagedIsJudgedWithMemoryHotplugKeptOut) {
  subblock_run bad{};
  u32 why = MEMPLUG_BAD_NONE;
  EXPECT_TRUE(memplug_unmanaged_find({3, 2}, &bad, &why));
  EXPECT_EQ(bad.first, 3U);
  EXPECT_EQ(why, MEMPLUG_BAD_ZONE);
  EXPECT_FALSE(excluded);
}

INSTANTIATE_TEST_SUITE_P(Sizes, Looks, testing::ValuesIn(orders));

}  // namespace
