// SPDX-License-Identifier: MIT
// How many pages the next call may zero, from how long the last one took.
#include <gtest/gtest.h>

#include <cstdint>

extern "C" {
#include "policy/pace.h"
}

namespace {

constexpr unsigned long shortest = 512;
constexpr unsigned long longest = 16 * shortest;
constexpr std::uint64_t us = 1000;

unsigned long next(unsigned long pace, unsigned long nr_pages, std::uint64_t ns) {
  return memplug_pace_next(pace, nr_pages, ns, shortest, longest);
}

// A machine that needs so long for 2 MiB, and so long for a call whatever it is for, and is asked
// for all that it may be each time.
unsigned long after_calls(int calls, std::uint64_t ns, std::uint64_t ns_of_a_call = 0) {
  unsigned long pace = shortest;
  while (calls-- > 0) {
    pace = next(pace, pace, pace / shortest * ns + ns_of_a_call);
  }
  return pace;
}

TEST(Pace, BeginsWithTheShortest) {
  EXPECT_EQ(next(0, shortest, 10'000 * us), shortest);
  EXPECT_EQ(next(0, shortest, 3'000 * us), shortest);
}

TEST(Pace, AGuestThatIsEmulatedStaysThere) {
  EXPECT_EQ(after_calls(100, 3500 * us), shortest);
  EXPECT_EQ(after_calls(100, 2001 * us), shortest);
}

TEST(Pace, AMachineGetsToTheLongestByDoubling) {
  EXPECT_EQ(after_calls(1, 100 * us), 2 * shortest);
  EXPECT_EQ(after_calls(3, 100 * us), 8 * shortest);
  EXPECT_EQ(after_calls(4, 100 * us), longest);
  EXPECT_EQ(after_calls(100, 100 * us), longest);
}

TEST(Pace, InBetweenACallTakesTwoToFourMilliseconds) {
  EXPECT_EQ(after_calls(100, 300 * us), 8 * shortest);
  EXPECT_EQ(after_calls(100, 600 * us), 4 * shortest);
  EXPECT_EQ(after_calls(100, 1900 * us), 2 * shortest);
}

TEST(Pace, WhatEachCallCostsDoesNotKeepItShort) {
  EXPECT_EQ(after_calls(100, 100 * us, 1500 * us), 8 * shortest);
  EXPECT_EQ(after_calls(100, 100 * us, 300 * us), longest);
}

TEST(Pace, OneCallThatTookLongIsEnough) {
  EXPECT_EQ(next(longest, longest, 5000 * us), 6 * shortest);
  EXPECT_EQ(next(longest, longest, 1'000'000 * us), shortest);
  EXPECT_EQ(next(longest, 2 * shortest, 5000 * us), shortest);
}

TEST(Pace, AfterOneItIsSoonWhatItWas) {
  unsigned long pace = next(longest, longest, 1'000'000 * us);
  for (int call = 0; call < 4; ++call) {
    pace = next(pace, pace, pace / shortest * 100 * us);
  }
  EXPECT_EQ(pace, longest);
}

TEST(Pace, ACallForLessThanItMightBeTellsNothingAgainstIt) {
  EXPECT_EQ(next(longest, shortest, 2000 * us), longest);
  EXPECT_EQ(next(longest, shortest, 3000 * us), longest);
  EXPECT_EQ(next(8 * shortest, 2 * shortest, 1 * us), 8 * shortest);
}

TEST(Pace, AClockThatStandsStillIsNoDivisor) { EXPECT_EQ(next(0, shortest, 0), 2 * shortest); }

TEST(Pace, WhatTheKernelTakesAtLeastIsGivenInAnyCase) {
  EXPECT_EQ(memplug_pace_next(0, 8192, ~0ULL, 8192, 8192), 8192U);
  EXPECT_EQ(memplug_pace_next(8192, 8192, 0, 8192, 8192), 8192U);
}

}  // namespace
