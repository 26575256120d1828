// SPDX-License-Identifier: MIT
// When a request gives up on a zone that the floor has refused again and again: the module's own
// request/retry.c and take.c, with a floor, workers and memory that do what the test says.
#include <gtest/gtest.h>

#include <array>

extern "C" {
#include <linux/bitmap.h>
#include <linux/mm.h>

#include "machine/hotplug.h"
#include "memory/survey.h"
#include "request/retry.h"
#include "request/take.h"
}

namespace {

constexpr int places = 2;
constexpr unsigned long of_a_place = 32;
constexpr unsigned long subblocks = places * of_a_place;
// As in request/retry.c.
constexpr int refusals_in_a_row = 64;

int claim_result = 0;

}  // namespace

// What the two files ask of the others.
extern "C" {
unsigned int memplug_subblock_order = 10;

int memplug_region_place(unsigned long index) { return static_cast<int>(index / of_a_place); }
floor_verdict memplug_floor_check(int /*nid*/, floor_share /*share*/, unsigned long /*pages*/) {
  return FLOOR_OK;
}
floor_verdict memplug_floor_reserve(int /*nid*/, floor_share /*share*/) { return FLOOR_OK; }
void memplug_floor_unreserve(int /*nid*/, floor_share /*share*/) {}
bool memplug_floor_wait(unsigned long /*timeout*/) { return false; }
bool memplug_region_reserve(subblock_run /*run*/, region_direction /*direction*/) { return true; }
bool memplug_region_reserve_wanted(subblock_run /*run*/) { return true; }
void memplug_region_split_low(unsigned long* /*map*/, unsigned long* /*low*/,
                              unsigned long /*nr*/) {}
void memplug_region_abort(subblock_run /*run*/) {}
bool memplug_region_is_managed(subblock_run /*run*/) { return true; }
void memplug_region_snapshot(region_direction /*direction*/, subblock_run /*within*/, int /*nid*/,
                             region_view* view) {
  bitmap_set(view->ready, 0, 1);
}
int memplug_hotplug_exclude() { return 0; }
void memplug_hotplug_allow() {}
bool memplug_hotplug_wait(unsigned long /*timeout*/) { return true; }
bool memplug_survey_all_free(unsigned long /*pfn*/, unsigned long /*pages*/) { return true; }
void memplug_survey_pages(unsigned long /*pfn*/, unsigned long /*pages*/, survey* /*survey*/) {}
unsigned int memplug_claim_workers() { return 1; }
void memplug_claim_start(claim* claim, int /*nid*/) {
  claim->result = claim_result;
  claim->over = true;
}
bool memplug_claim_cancel(claim* /*claim*/) { return false; }
void wait_for_completion(completion* /*completion*/) {}
long wait_for_completion_interruptible_timeout(completion* /*completion*/, unsigned long timeout) {
  return static_cast<long>(timeout);
}
long wait_for_completion_killable_timeout(completion* /*completion*/, unsigned long timeout) {
  return static_cast<long>(timeout);
}
bool memplug_request_should_stop(request* /*req*/) { return false; }
void memplug_request_count_done(request* req, subblock_run run) { req->done += run.nr; }
void memplug_request_block(request* /*req*/, unsigned long /*index*/, u32 /*reason*/,
                           unsigned long /*pfn*/) {}
void memplug_plan_set_cost(plan* plan, unsigned long index, unsigned int cost) {
  plan->cost[index] = static_cast<unsigned char>(cost);
}
}

namespace {

class Setback : public ::testing::Test {
 protected:
  Setback() {
    claim_result = 0;
    bitmap_set(candidates_.data(), 0, subblocks);
    request_.plan.candidates = candidates_.data();
    request_.plan.cost = costs_.data();
    request_.plan.nr = subblocks;
    request_.view.ready = ready_.data();
    request_.view.nr = subblocks;
    request_.pretended = pretended_.data();
    request_.zone_refusals = &refusals_.at(1);
  }

  void refuse(int place, int times, unsigned int cost = PLAN_DEAREST) {
    for (int i = 0; i < times; i++) {
      memplug_retry_zone(&request_, place, cost);
    }
  }

  // How many subblocks of a place may still be handed out.
  [[nodiscard]] unsigned long left_of(int place) const {
    unsigned long left = 0;
    for (unsigned long i = 0; i < subblocks; i++) {
      left += memplug_region_place(i) == place && test_bit(i, candidates_.data()) ? 1U : 0U;
    }
    return left;
  }

  static look look_at(int place) {
    look look{};
    look.place = place;
    return look;
  }

  void take(int place) {
    const look look = look_at(place);
    ASSERT_EQ(
        memplug_take_start(&request_, {static_cast<unsigned long>(place) * of_a_place, 1}, &look),
        0);
    memplug_take_land(&request_);
  }

  std::array<unsigned long, BITS_TO_LONGS(subblocks)> candidates_{};
  std::array<unsigned long, BITS_TO_LONGS(subblocks)> ready_{};
  std::array<unsigned char, subblocks> costs_{};
  std::array<floor_share, places> pretended_{};
  std::array<unsigned int, places + 1> refusals_{};  // with something before the first place's
  request request_{};
};

TEST_F(Setback, WhatHasGoneOfflineMeanwhileIsHeldAgainstNoPlace) {
  refuse(NO_PLACE, refusals_in_a_row);
  EXPECT_TRUE(request_.floor_refused);
  EXPECT_EQ(refusals_.at(0), 0U);
  EXPECT_EQ(left_of(0), of_a_place);
  EXPECT_EQ(left_of(1), of_a_place);
}

TEST_F(Setback, AZoneThatRefusesManyTimesInARowIsGivenUpForWhatCostsNoMore) {
  costs_[3] = 5;
  refuse(0, refusals_in_a_row - 1, 4);
  EXPECT_EQ(left_of(0), of_a_place);
  refuse(0, 1, 4);
  EXPECT_EQ(left_of(0), 1U);
  EXPECT_TRUE(test_bit(3, candidates_.data()));
  EXPECT_EQ(left_of(1), of_a_place);
}

TEST_F(Setback, WhatOnePlaceRefusesIsNotHeldAgainstAnother) {
  refuse(0, refusals_in_a_row - 1);
  refuse(1, refusals_in_a_row - 1);
  EXPECT_EQ(left_of(0), of_a_place);
  EXPECT_EQ(left_of(1), of_a_place);
}

TEST_F(Setback, WhatIsHadEndsTheRow) {
  refuse(1, refusals_in_a_row - 1);
  take(1);
  refuse(1, refusals_in_a_row - 1);
  EXPECT_EQ(left_of(1), of_a_place);
}

TEST_F(Setback, WhatAnotherPlaceGivesDoesNotEndIt) {
  refuse(1, refusals_in_a_row - 1);
  take(0);
  refuse(1, 1);
  EXPECT_EQ(left_of(1), 0U);
}

TEST_F(Setback, AClaimThatFailsDoesNotEndIt) {
  refuse(1, refusals_in_a_row - 1);
  claim_result = -EBUSY;
  take(1);
  refuse(1, 1);
  EXPECT_EQ(left_of(1), 0U);
}

TEST_F(Setback, WhatIsClaimedForItsSideEffectsDoesNotEndIt) {
  refuse(0, refusals_in_a_row - 1);
  memplug_take_drain(&request_);
  refuse(0, 1);
  EXPECT_EQ(left_of(0), 0U);
}

TEST_F(Setback, WhatADryRunWouldHaveEndsTheRow) {
  const look look = look_at(1);
  refuse(1, refusals_in_a_row - 1);
  ASSERT_EQ(memplug_take_pretend(&request_, {of_a_place, 1}, &look), 0);
  refuse(1, refusals_in_a_row - 1);
  EXPECT_EQ(left_of(1), of_a_place);
}

}  // namespace
