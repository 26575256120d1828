// SPDX-License-Identifier: MIT
// The progress line's words, and that the meter draws late, clears up and stops.
#include "terminal/progress.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <sstream>

#include "fake_channel.hpp"

namespace memplug::test {
namespace {

using namespace std::chrono_literals;

Progress progress(std::uint64_t requested, std::uint64_t done, std::uint64_t already,
                  std::chrono::nanoseconds elapsed) {
  return {Bytes{requested}, Bytes{done}, Bytes{already}, elapsed};
}

TEST(ProgressLine, TellsRateAndTimeLeft) {
  EXPECT_EQ(progress_line(Operation::Unplug, progress(4 * gib, gib, 0, 2s)),
            "unplugging 1.0 GiB of 4.0 GiB, 512 MiB/s, 6 s left");
}

TEST(ProgressLine, LongTimesHaveMinutes) {
  EXPECT_EQ(progress_line(Operation::Plug, progress(100 * mib, mib, 0, 1s)),
            "plugging 1.0 MiB of 100 MiB, 1.0 MiB/s, 1 min 39 s left");
}

TEST(ProgressLine, WhatWasSoAlreadyIsNoSpeed) {
  EXPECT_EQ(progress_line(Operation::Unplug, progress(64 * mib, 16 * mib, 32 * mib, 1s)),
            "unplugging 48 MiB of 64 MiB, 16 MiB/s, 1 s left");
}

TEST(ProgressLine, NothingDoneYetHasNoRate) {
  EXPECT_EQ(progress_line(Operation::Unplug, progress(gib, 0, 0, 1s)), "unplugging 0 B of 1.0 GiB");
}

TargetProgress target_progress(std::uint64_t before, std::uint64_t plugged, std::uint64_t target) {
  return {Bytes{before}, Bytes{plugged}, Bytes{target}, TargetState::Working, 2s};
}

TEST(ProgressLine, TargetBelowTellsRateAndTimeLeft) {
  EXPECT_EQ(progress_line(target_progress(4 * gib, 3 * gib, 2 * gib)),
            "plugged 3.0 GiB, target 2.0 GiB, 512 MiB/s, 2 s left");
}

TEST(ProgressLine, TargetAboveTellsRateAndTimeLeft) {
  EXPECT_EQ(progress_line(target_progress(0, gib, 3 * gib)),
            "plugged 1.0 GiB, target 3.0 GiB, 512 MiB/s, 4 s left");
}

TEST(ProgressLine, TargetThatCameNoNearerHasNoRate) {
  EXPECT_EQ(progress_line(target_progress(4 * gib, 4 * gib, 2 * gib)),
            "plugged 4.0 GiB, target 2.0 GiB");
  EXPECT_EQ(progress_line(target_progress(3 * gib, 4 * gib, 2 * gib)),
            "plugged 4.0 GiB, target 2.0 GiB");
}

TEST(ProgressLine, BlockedTargetPromisesNoTime) {
  TargetProgress progress = target_progress(4 * gib, 3 * gib, 2 * gib);
  progress.state = TargetState::Blocked;
  EXPECT_EQ(progress_line(progress), "plugged 3.0 GiB, target 2.0 GiB, blocked so far");
}

TEST(BytesNearer, CountsBothDirections) {
  EXPECT_EQ(bytes_nearer(target_progress(4 * gib, 3 * gib, 2 * gib)), std::int64_t{gib});
  EXPECT_EQ(bytes_nearer(target_progress(0, gib, 3 * gib)), std::int64_t{gib});
  EXPECT_EQ(bytes_nearer(target_progress(gib, 0, 3 * gib)), -std::int64_t{gib});
  // Past the target and as far from it as before is no nearer.
  EXPECT_EQ(bytes_nearer(target_progress(3 * gib, gib, 2 * gib)), 0);
}

TEST(ProgressLine, WhatDoesNotFitIsLeftOutFromTheEnd) {
  const std::string line = "unplugging 1.5 GiB of 4.0 GiB, 800.0 MiB/s, 3 s left";
  EXPECT_EQ(shorten(line, line.size() + 1), line);
  EXPECT_EQ(shorten(line, line.size()), "unplugging 1.5 GiB of 4.0 GiB, 800.0 MiB/s");
  EXPECT_EQ(shorten(line, 30), "unplugging 1.5 GiB of 4.0 GiB");
  EXPECT_EQ(shorten(line, 29), "unplugging 1.5 GiB of 4.0 Gi");
  EXPECT_EQ(shorten(line, 1), "");
  EXPECT_EQ(shorten(line, 0), "");
}

std::size_t wide() { return 80; }

TEST(ProgressMeter, ShortWorkDrawsNothing) {
  std::ostringstream terminal;
  {
    const ProgressMeter meter(terminal, [] { return "some line"; }, wide, {1h, 1h});
  }
  EXPECT_EQ(terminal.str(), "");
}

TEST(ProgressMeter, LongWorkIsDrawnAndTheLineClearedAtTheEnd) {
  std::ostringstream terminal;
  std::atomic<int> polls = 0;
  {
    const ProgressMeter meter(terminal,
                              [&polls] {
                                ++polls;
                                return "some line";
                              },
                              wide, {1ms, 1ms});
    for (int waited = 0; polls < 2 && waited < 10000; ++waited) {
      std::this_thread::sleep_for(1ms);
    }
  }
  const std::string clear = "\r\033[K";
  EXPECT_GE(polls.load(), 2);
  EXPECT_EQ(terminal.str().rfind(clear + "some line" + clear, 0), 0U);
  EXPECT_TRUE(terminal.str().ends_with(clear)) << terminal.str();
}

TEST(ProgressMeter, NothingToTellDrawsNothing) {
  std::ostringstream terminal;
  std::atomic<int> polls = 0;
  {
    const ProgressMeter meter(terminal,
                              [&polls]() -> std::optional<std::string> {
                                ++polls;
                                return std::nullopt;
                              },
                              wide, {1ms, 1ms});
    for (int waited = 0; polls < 1 && waited < 10000; ++waited) {
      std::this_thread::sleep_for(1ms);
    }
  }
  EXPECT_GE(polls.load(), 1);
  EXPECT_EQ(terminal.str(), "");
}

}  // namespace
}  // namespace memplug::test
