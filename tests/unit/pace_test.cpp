// SPDX-License-Identifier: MIT
// How many pages the next call may zero, from how long the last one took.
#include <gtest/gtest.h>

#include <cstdint>

extern "C" {
#include "pace.h"
}

namespace {

constexpr unsigned long shortest = 512;
constexpr unsigned long longest = 16 * shortest;
constexpr std::uint64_t us = 1000;

unsigned long next(unsigned long pace, unsigned long nr_pages, std::uint64_t ns) {
  return pace_next(pace, nr_pages, ns, shortest, longest);
}

// A machine that needs so long for 2 MiB, and is asked for all that it may be at each call.
unsigned long after_calls(int calls, std::uint64_t ns) {
  unsigned long pace = shortest;
  while (calls-- > 0) {
    pace = next(pace, pace, pace / shortest * ns);
  }
  return pace;
}

TEST(Pace, BeginsWithTheShortest) { EXPECT_EQ(next(0, shortest, 10'000 * us), shortest); }

TEST(Pace, AGuestThatIsEmulatedStaysThere) {
  EXPECT_EQ(after_calls(100, 3500 * us), shortest);
  EXPECT_EQ(after_calls(100, 1001 * us), shortest);
}

TEST(Pace, AMachineGetsToTheLongestByDoubling) {
  EXPECT_EQ(after_calls(1, 100 * us), 2 * shortest);
  EXPECT_EQ(after_calls(3, 100 * us), 8 * shortest);
  EXPECT_EQ(after_calls(4, 100 * us), longest);
  EXPECT_EQ(after_calls(100, 100 * us), longest);
}

TEST(Pace, InBetweenItIsWhatTakesTwoMilliseconds) {
  EXPECT_EQ(after_calls(100, 300 * us), 6 * shortest);
  EXPECT_EQ(after_calls(100, 600 * us), 3 * shortest);
}

TEST(Pace, OneCallThatTookLongIsEnough) {
  EXPECT_EQ(next(longest, longest, 4000 * us), longest / 2);
  EXPECT_EQ(next(longest, longest, 1'000'000 * us), shortest);
  EXPECT_EQ(next(longest, 2 * shortest, 3000 * us), shortest);
}

// What each call costs whatever it is for makes a short one look slow.
TEST(Pace, AShortCallInTimeTellsNothingAgainstIt) {
  EXPECT_EQ(next(longest, shortest, 2000 * us), longest);
  EXPECT_EQ(next(8 * shortest, 2 * shortest, 1 * us), 8 * shortest);
}

TEST(Pace, AClockThatStandsStillIsNoDivisor) { EXPECT_EQ(next(0, shortest, 0), 2 * shortest); }

TEST(Pace, WhatTheKernelTakesAtLeastIsGivenInAnyCase) {
  EXPECT_EQ(pace_next(0, 8192, ~0ULL, 8192, 8192), 8192U);
  EXPECT_EQ(pace_next(8192, 8192, 0, 8192, 8192), 8192U);
}

}  // namespace
