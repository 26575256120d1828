// SPDX-License-Identifier: MIT
// The module's planner, built for user space: which runs of subblocks it proposes.
#include <gtest/gtest.h>

#include <random>
#include <set>
#include <vector>

extern "C" {
#include "planner.h"
}

namespace {

// Bits by index, in the layout that the kernel's bitmaps have.
class Bits {
 public:
  explicit Bits(unsigned long size) : words_(size / BITS_PER_LONG + 1), size_(size) {}

  void set(unsigned long bit) { words_[bit / BITS_PER_LONG] |= 1UL << (bit % BITS_PER_LONG); }
  void set(unsigned long first, unsigned long count) {
    for (unsigned long i = 0; i < count; i++) {
      set(first + i);
    }
  }
  void clear(unsigned long bit) { bitmap_clear(words_.data(), bit, 1); }
  [[nodiscard]] bool test(unsigned long bit) const { return test_bit(bit, words_.data()); }
  [[nodiscard]] unsigned long size() const { return size_; }
  unsigned long* data() { return words_.data(); }

 private:
  std::vector<unsigned long> words_;
  unsigned long size_;
};

class Planner : public ::testing::Test {
 protected:
  void start(unsigned long max_run) {
    plan_init(&plan_, candidates_.data(), seams_.data(), candidates_.size(), max_run);
  }

  // Everything that the planner hands out for as long as it does.
  std::vector<subblock_run> drain(unsigned long want) {
    std::vector<subblock_run> runs;
    subblock_run run{};
    while (plan_next(&plan_, want, &run)) {
      runs.push_back(run);
    }
    return runs;
  }

  Bits candidates_{256};
  Bits seams_{256};
  plan plan_{};
};

void expect_run(const subblock_run& run, unsigned long first, unsigned long count) {
  EXPECT_EQ(run.first, first);
  EXPECT_EQ(run.nr, count);
}

TEST_F(Planner, HasNothingToOfferWithoutCandidates) {
  start(8);
  EXPECT_TRUE(drain(100).empty());
}

TEST_F(Planner, HandsOutTheHighestRunFirst) {
  candidates_.set(10, 4);
  candidates_.set(100, 3);
  start(8);
  const auto runs = drain(100);
  ASSERT_EQ(runs.size(), 2U);
  expect_run(runs[0], 100, 3);
  expect_run(runs[1], 10, 4);
}

TEST_F(Planner, KeepsRunsNoLongerThanItsLimit) {
  candidates_.set(0, 20);
  start(8);
  const auto runs = drain(100);
  ASSERT_EQ(runs.size(), 3U);
  expect_run(runs[0], 12, 8);
  expect_run(runs[1], 4, 8);
  expect_run(runs[2], 0, 4);
}

TEST_F(Planner, ClampsTheLimitToWhatOneSplitCanGiveBack) {
  candidates_.set(0, 256);
  start(1000);
  EXPECT_EQ(drain(1000).front().nr, PLAN_MAX_RUN);
  candidates_.set(0, 256);
  start(0);
  EXPECT_EQ(drain(1000).front().nr, 1U);
}

TEST_F(Planner, GivesNoMoreThanIsWanted) {
  candidates_.set(0, 20);
  start(8);
  subblock_run run{};
  ASSERT_TRUE(plan_next(&plan_, 3, &run));
  expect_run(run, 17, 3);
  EXPECT_FALSE(plan_next(&plan_, 0, &run));
}

TEST_F(Planner, DoesNotCrossASeam) {
  candidates_.set(0, 20);
  seams_.set(15);
  start(8);
  const auto runs = drain(100);
  ASSERT_EQ(runs.size(), 3U);
  expect_run(runs[0], 15, 5);
  expect_run(runs[1], 7, 8);
  expect_run(runs[2], 0, 7);
}

TEST_F(Planner, HandsOutWhatWasGivenBackBeforeAnythingElse) {
  candidates_.set(0, 16);
  start(8);
  subblock_run run{};
  ASSERT_TRUE(plan_next(&plan_, 100, &run));
  plan_give_back(&plan_, run);
  subblock_run again{};
  ASSERT_TRUE(plan_next(&plan_, 100, &again));
  expect_run(again, run.first, run.nr);
}

TEST_F(Planner, TakesTheUpperPartOfWhatWasGivenBackIfLessIsWanted) {
  candidates_.set(0, 8);
  start(8);
  subblock_run run{};
  ASSERT_TRUE(plan_next(&plan_, 8, &run));
  plan_give_back(&plan_, run);
  ASSERT_TRUE(plan_next(&plan_, 3, &run));
  expect_run(run, 5, 3);
  ASSERT_TRUE(plan_next(&plan_, 8, &run));
  expect_run(run, 0, 5);
}

TEST_F(Planner, SplitsAtWhatIsInTheWay) {
  candidates_.set(0, 8);
  start(8);
  subblock_run run{};
  ASSERT_TRUE(plan_next(&plan_, 8, &run));
  Bits blocked(8);
  blocked.set(0);
  blocked.set(4);
  plan_split(&plan_, run, blocked.data());
  const auto runs = drain(100);
  ASSERT_EQ(runs.size(), 2U);
  expect_run(runs[0], 5, 3);
  expect_run(runs[1], 1, 3);
}

TEST_F(Planner, SplitsInHalvesIfNothingIsKnown) {
  candidates_.set(0, 5);
  start(8);
  subblock_run run{};
  ASSERT_TRUE(plan_next(&plan_, 8, &run));
  Bits none(8);
  plan_split(&plan_, run, none.data());
  const auto runs = drain(100);
  ASSERT_EQ(runs.size(), 2U);
  expect_run(runs[0], 2, 3);
  expect_run(runs[1], 0, 2);
}

TEST_F(Planner, DropsASingleSubblockThatFailed) {
  candidates_.set(7);
  start(8);
  subblock_run run{};
  ASSERT_TRUE(plan_next(&plan_, 8, &run));
  Bits none(8);
  plan_split(&plan_, run, none.data());
  EXPECT_FALSE(plan_next(&plan_, 8, &run));
}

// Whatever fails and however it is split: every candidate is handed out, none twice in one
// piece that succeeded, no run leaves the candidates or crosses a seam, and it ends.
TEST_F(Planner, CoversEverythingOnceUnderRandomFailures) {
  std::mt19937 random(12345);
  for (int round = 0; round < 200; round++) {
    Bits poisoned(256);
    std::set<unsigned long> expected;
    candidates_ = Bits(256);
    seams_ = Bits(256);
    for (unsigned long i = 0; i < 256; i++) {
      if (random() % 4 != 0) {
        candidates_.set(i);
        if (random() % 8 == 0) {
          poisoned.set(i);
        } else {
          expected.insert(i);
        }
      }
      if (random() % 16 == 0) {
        seams_.set(i);
      }
    }
    start(1 + random() % PLAN_MAX_RUN);
    std::set<unsigned long> taken;
    subblock_run run{};
    int calls = 0;
    while (plan_next(&plan_, 1 + random() % 300, &run)) {
      ASSERT_LT(++calls, 4096);
      ASSERT_LE(run.nr, plan_.max_run);
      bool fails = false;
      for (unsigned long i = run.first; i < run.first + run.nr; i++) {
        fails = fails || poisoned.test(i);
        ASSERT_TRUE(i == run.first || !seams_.test(i));
      }
      if (fails) {
        // the survey sees some of what is in the way, and sometimes nothing
        Bits seen(PLAN_MAX_RUN);
        for (unsigned long i = 0; i < run.nr; i++) {
          if (poisoned.test(run.first + i) && random() % 2 == 0) {
            seen.set(i);
          }
        }
        plan_split(&plan_, run, seen.data());
        continue;
      }
      for (unsigned long i = run.first; i < run.first + run.nr; i++) {
        ASSERT_TRUE(taken.insert(i).second) << i;
      }
    }
    ASSERT_EQ(taken, expected);
  }
}

TEST_F(Planner, FindsTheHighestAlignedPlaceForOneRun) {
  candidates_.set(0, 200);
  start(8);
  subblock_run run{};
  ASSERT_TRUE(plan_next_contiguous(&plan_, 64, 64, &run));
  expect_run(run, 128, 64);
}

TEST_F(Planner, PassesOverPlacesWithAHoleOrASeam) {
  candidates_.set(0, 256);
  candidates_.clear(200);
  seams_.set(100);
  start(8);
  subblock_run run{};
  ASSERT_TRUE(plan_next_contiguous(&plan_, 64, 1, &run));
  expect_run(run, 136, 64);
  candidates_.clear(150);
  ASSERT_TRUE(plan_next_contiguous(&plan_, 64, 1, &run));
  expect_run(run, 36, 64);
}

TEST_F(Planner, OffersTheSamePlaceAgainUntilACandidateIsCleared) {
  candidates_.set(0, 128);
  start(8);
  subblock_run first{};
  subblock_run second{};
  ASSERT_TRUE(plan_next_contiguous(&plan_, 32, 1, &first));
  ASSERT_TRUE(plan_next_contiguous(&plan_, 32, 1, &second));
  expect_run(second, first.first, first.nr);
}

TEST_F(Planner, EndsWhenNoPlaceIsLeft) {
  candidates_.set(0, 31);
  start(8);
  subblock_run run{};
  EXPECT_FALSE(plan_next_contiguous(&plan_, 32, 1, &run));
  EXPECT_FALSE(plan_next_contiguous(&plan_, 0, 1, &run));
  EXPECT_FALSE(plan_next_contiguous(&plan_, 1, 0, &run));
}

}  // namespace
