// SPDX-License-Identifier: MIT
// How long a subblock that could not be had has to wait, on a clock that the test turns.
#include <gtest/gtest.h>

#include <array>
#include <cstdint>

extern "C" {
#include <linux/bitmap.h>

#include "policy/backoff.h"
}

namespace {

constexpr unsigned long subblocks = 100;

class Patience : public ::testing::Test {
 protected:
  unsigned int wait(unsigned long index) {
    return memplug_backoff_wait_ms(&patience_, index, now_);
  }
  void fail(unsigned long index) { memplug_backoff_failed(&patience_, index, now_); }

  std::array<std::uint16_t, subblocks> due_{};
  std::array<std::uint8_t, subblocks> tries_{};
  patience patience_{due_.data(), tries_.data(), subblocks};
  std::uint64_t now_ = 123456789;
};

TEST_F(Patience, NobodyWaitsAtFirst) {
  EXPECT_EQ(wait(0), 0U);
  EXPECT_EQ(wait(subblocks - 1), 0U);
  EXPECT_EQ(wait(subblocks), 0U) << "it is none of theirs";
}

TEST_F(Patience, AFailureCostsAtLeastTheFirstWaitAndHardlyMore) {
  for (unsigned int shift = 0; shift < PATIENCE_FIRST_MS; shift++, now_ += 1001) {
    memplug_backoff_forget(&patience_);
    fail(7);
    now_ += PATIENCE_FIRST_MS - 1;
    EXPECT_GT(wait(7), 0U);
    now_ += 1 + PATIENCE_FIRST_MS;
    EXPECT_EQ(wait(7), 0U);
  }
}

TEST_F(Patience, EachFailureDoublesTheWaitUpToTheLongest) {
  unsigned int expected = PATIENCE_FIRST_MS;
  for (int failure = 0; failure < 300; failure++) {
    fail(7);
    EXPECT_GE(wait(7), expected);
    EXPECT_LE(wait(7), expected + PATIENCE_FIRST_MS);
    now_ += wait(7);
    EXPECT_EQ(wait(7), 0U);
    expected = expected < PATIENCE_LONGEST_MS ? 2 * expected : expected;
  }
  EXPECT_EQ(expected, PATIENCE_LONGEST_MS);
}

TEST_F(Patience, OthersDoNotWait) {
  fail(7);
  EXPECT_EQ(wait(6), 0U);
  EXPECT_EQ(wait(8), 0U);
  fail(subblocks);
  EXPECT_EQ(wait(subblocks), 0U);
}

TEST_F(Patience, WhatIsForgottenDoesNotWait) {
  fail(7);
  fail(7);
  memplug_backoff_forget(&patience_);
  EXPECT_EQ(wait(7), 0U);
  fail(7);
  EXPECT_LE(wait(7), 2 * PATIENCE_FIRST_MS) << "it begins anew";
}

TEST_F(Patience, ATimeThatWrapsAroundMakesNobodyWait) {
  constexpr std::uint64_t lap = std::uint64_t{PATIENCE_FIRST_MS} << 16;
  for (int failure = 0; failure < 20; failure++) {
    fail(7);
  }
  now_ += lap / 2;
  EXPECT_EQ(wait(7), 0U);
  now_ += lap / 4;
  EXPECT_EQ(wait(7), 0U);
}

TEST_F(Patience, MarksWhoWaitsAndTellsTheShortestWait) {
  std::array<unsigned long, BITS_TO_LONGS(subblocks)> map{};
  std::array<unsigned long, BITS_TO_LONGS(subblocks)> fresh{};
  map[1] = 1;
  EXPECT_EQ(memplug_backoff_mark(&patience_, map.data(), fresh.data(), now_), 0U);
  EXPECT_EQ(bitmap_weight(map.data(), subblocks), 0U) << "what was there is gone";
  fail(90);
  fail(90);
  fail(90);
  fail(3);
  EXPECT_EQ(memplug_backoff_mark(&patience_, map.data(), fresh.data(), now_), wait(3));
  EXPECT_EQ(bitmap_weight(map.data(), subblocks), 2U);
  EXPECT_TRUE(test_bit(3, map.data()));
  EXPECT_TRUE(test_bit(90, map.data()));
  now_ += std::uint64_t{2} * PATIENCE_FIRST_MS;
  EXPECT_EQ(memplug_backoff_mark(&patience_, map.data(), fresh.data(), now_), wait(90));
  EXPECT_FALSE(test_bit(3, map.data()));
}

TEST_F(Patience, TellsWhoHasNotBeenTriedForSeconds) {
  std::array<unsigned long, BITS_TO_LONGS(subblocks)> map{};
  std::array<unsigned long, BITS_TO_LONGS(subblocks)> fresh{};
  unsigned int waited = 0;
  fail(7);
  for (int failure = 1; failure < 30; failure++) {
    memplug_backoff_mark(&patience_, map.data(), fresh.data(), now_);
    EXPECT_TRUE(test_bit(7, map.data()));
    EXPECT_EQ(test_bit(7, fresh.data()), failure < 8) << "after " << waited << " ms";
    waited += wait(7);
    now_ += wait(7);
    fail(7);
  }
}

}  // namespace
