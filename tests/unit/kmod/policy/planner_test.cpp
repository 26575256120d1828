// SPDX-License-Identifier: MIT
// The module's planner, built for user space: which runs of subblocks it proposes.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <vector>

extern "C" {
#include "policy/planner.h"
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
  // All of it is free, and no memory block is preferred, unless a test says otherwise.
  void start(unsigned long max_run, unsigned long block = 0) {
    splits_ = Bits(size);
    plan_.candidates = candidates_.data();
    plan_.splits = splits_.data();
    plan_.seams = seams_.data();
    plan_.cost = cost_.data();
    plan_.nr = size;
    plan_.block = block;
    plan_.max_free_run = max_run;
    plan_.max_run = max_run;
    memplug_plan_start(&plan_);
  }

  void set_cost(unsigned long first, unsigned long count, unsigned char cost) {
    std::fill_n(cost_.begin() + static_cast<std::ptrdiff_t>(first), count, cost);
  }

  // Everything that the planner hands out for as long as it does.
  std::vector<subblock_run> drain(unsigned long want) {
    std::vector<subblock_run> runs;
    subblock_run run{};
    while (memplug_plan_next(&plan_, want, &run)) {
      runs.push_back(run);
    }
    return runs;
  }

  static constexpr unsigned long size = 256;
  Bits candidates_{size};
  Bits seams_{size};
  Bits splits_{size};
  std::vector<unsigned char> cost_ = std::vector<unsigned char>(size);
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

TEST_F(Planner, ClampsTheLengthOfRuns) {
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
  ASSERT_TRUE(memplug_plan_next(&plan_, 3, &run));
  expect_run(run, 17, 3);
  EXPECT_FALSE(memplug_plan_next(&plan_, 0, &run));
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
  ASSERT_TRUE(memplug_plan_next(&plan_, 100, &run));
  memplug_plan_give_back(&plan_, run);
  subblock_run again{};
  ASSERT_TRUE(memplug_plan_next(&plan_, 100, &again));
  expect_run(again, run.first, run.nr);
}

TEST_F(Planner, TakesTheUpperPartOfWhatWasGivenBackIfLessIsWanted) {
  candidates_.set(0, 8);
  start(8);
  subblock_run run{};
  ASSERT_TRUE(memplug_plan_next(&plan_, 8, &run));
  memplug_plan_give_back(&plan_, run);
  ASSERT_TRUE(memplug_plan_next(&plan_, 3, &run));
  expect_run(run, 5, 3);
  ASSERT_TRUE(memplug_plan_next(&plan_, 8, &run));
  expect_run(run, 0, 5);
}

TEST_F(Planner, SplitsAtWhatIsInTheWay) {
  candidates_.set(0, 8);
  start(8);
  subblock_run run{};
  ASSERT_TRUE(memplug_plan_next(&plan_, 8, &run));
  Bits blocked(8);
  blocked.set(0);
  blocked.set(4);
  memplug_plan_split(&plan_, run, blocked.data());
  const auto runs = drain(100);
  ASSERT_EQ(runs.size(), 2U);
  expect_run(runs[0], 5, 3);
  expect_run(runs[1], 1, 3);
}

TEST_F(Planner, SplitsInHalvesIfNothingIsKnown) {
  candidates_.set(0, 5);
  start(8);
  subblock_run run{};
  ASSERT_TRUE(memplug_plan_next(&plan_, 8, &run));
  Bits none(8);
  memplug_plan_split(&plan_, run, none.data());
  const auto runs = drain(100);
  ASSERT_EQ(runs.size(), 2U);
  expect_run(runs[0], 2, 3);
  expect_run(runs[1], 0, 2);
}

TEST_F(Planner, DropsASingleSubblockThatFailed) {
  candidates_.set(7);
  start(8);
  subblock_run run{};
  ASSERT_TRUE(memplug_plan_next(&plan_, 8, &run));
  Bits none(8);
  memplug_plan_split(&plan_, run, none.data());
  EXPECT_FALSE(memplug_plan_next(&plan_, 8, &run));
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
    for (unsigned char& cost : cost_) {
      cost = static_cast<unsigned char>(random() % (PLAN_DEAREST + 1));
    }
    start(1 + random() % PLAN_MAX_RUN, random() % 2 == 0 ? 0 : 32);
    std::set<unsigned long> taken;
    subblock_run run{};
    int calls = 0;
    while (memplug_plan_next(&plan_, 1 + random() % 300, &run)) {
      ASSERT_LT(++calls, 4096);
      ASSERT_LE(run.nr, PLAN_MAX_RUN);
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
        memplug_plan_split(&plan_, run, seen.data());
        continue;
      }
      for (unsigned long i = run.first; i < run.first + run.nr; i++) {
        ASSERT_TRUE(taken.insert(i).second) << i;
      }
    }
    ASSERT_EQ(taken, expected);
  }
}

TEST_F(Planner, GivesEachPartOfItsRangeALevel) {
  EXPECT_EQ(memplug_plan_level(0, 1024), PLAN_FREE);
  EXPECT_EQ(memplug_plan_level(1, 1024), 1U);
  EXPECT_EQ(memplug_plan_level(128, 1024), 1U);
  EXPECT_EQ(memplug_plan_level(129, 1024), 2U);
  EXPECT_EQ(memplug_plan_level(1024, 1024), PLAN_DEAREST);
  EXPECT_EQ(memplug_plan_level(2000, 1024), PLAN_DEAREST);
}

TEST_F(Planner, TakesWhatIsFreeBeforeAnythingIsMoved) {
  candidates_.set(0, 64);
  set_cost(32, 32, 3);
  start(16);
  const auto runs = drain(100);
  ASSERT_EQ(runs.size(), 4U);
  expect_run(runs[0], 16, 16);
  expect_run(runs[1], 0, 16);
  expect_run(runs[2], 48, 16);
  expect_run(runs[3], 32, 16);
}

TEST_F(Planner, GoesFromTheCheapestToTheDearest) {
  candidates_.set(0, 9);
  for (unsigned int level = 0; level <= PLAN_DEAREST; level++) {
    cost_[level] = static_cast<unsigned char>((level * 5) % 9);
  }
  start(1);
  unsigned int last = 0;
  for (const auto& run : drain(100)) {
    EXPECT_GE(cost_[run.first], last);
    last = cost_[run.first];
  }
  EXPECT_EQ(last, PLAN_DEAREST);
}

TEST_F(Planner, HasALimitOfItsOwnForRunsThatAreFree) {
  candidates_.set(0, 64);
  set_cost(0, 32, 1);
  start(16);
  plan_.max_run = 4;
  const auto runs = drain(100);
  expect_run(runs.front(), 48, 16);
  expect_run(runs.back(), 0, 4);
}

TEST_F(Planner, LeavesAloneWhatIsKeptOrUnknown) {
  candidates_.set(0, 8);
  cost_[2] = PLAN_KEPT;
  cost_[5] = PLAN_UNKNOWN;
  start(8);
  const auto runs = drain(100);
  ASSERT_EQ(runs.size(), 3U);
  expect_run(runs[0], 6, 2);
  expect_run(runs[1], 3, 2);
  expect_run(runs[2], 0, 2);
  memplug_plan_set_cost(&plan_, 5, PLAN_FREE);
  memplug_plan_start(&plan_);
  expect_run(drain(100).front(), 5, 1);
}

TEST_F(Planner, PrefersMemoryBlocksThatCanBeEmptied) {
  // the highest block keeps more than a third of itself, the next a little, the lowest nothing
  candidates_.set(0, 96);
  set_cost(64, 12, PLAN_KEPT);
  set_cost(32, 1, PLAN_KEPT);
  start(32, 32);
  const auto runs = drain(100);
  ASSERT_EQ(runs.size(), 3U);
  expect_run(runs[0], 0, 32);
  expect_run(runs[1], 33, 31);
  expect_run(runs[2], 76, 20);
}

TEST_F(Planner, CountsWhatIsGoneAsEmpty) {
  // the upper half of the lower block was unplugged before: the other half empties it
  candidates_.set(0, 16);
  candidates_.set(32, 32);
  set_cost(33, 1, 1);
  start(32, 32);
  const auto runs = drain(100);
  expect_run(runs.front(), 0, 16);
}

TEST_F(Planner, ForgetsABlockThatCannotBeEmptiedAnyMore) {
  candidates_.set(0, 64);
  start(8, 32);
  subblock_run run{};
  ASSERT_TRUE(memplug_plan_next(&plan_, 100, &run));
  expect_run(run, 56, 8);
  Bits blocked(8);
  blocked.set(7);
  memplug_plan_split(&plan_, run, blocked.data());
  ASSERT_TRUE(memplug_plan_next(&plan_, 100, &run));
  expect_run(run, 24, 8);
}

TEST_F(Planner, PutsOffWhatHasBecomeDearer) {
  candidates_.set(0, 16);
  start(8);
  subblock_run run{};
  ASSERT_TRUE(memplug_plan_next(&plan_, 100, &run));
  expect_run(run, 8, 8);
  memplug_plan_set_cost(&plan_, 15, 5);
  memplug_plan_give_back(&plan_, run);
  const auto runs = drain(100);
  ASSERT_EQ(runs.size(), 3U);
  expect_run(runs[0], 7, 8);
  expect_run(runs[1], 0, 7);
  expect_run(runs[2], 15, 1);
}

TEST_F(Planner, HandsOutWhatIsGivenBackAfterItsEnd) {
  candidates_.set(0, 4);
  start(8);
  const auto runs = drain(100);
  ASSERT_EQ(runs.size(), 1U);
  memplug_plan_give_back(&plan_, runs[0]);
  expect_run(drain(100).front(), 0, 4);
}

TEST_F(Planner, FindsTheHighestAlignedPlaceForOneRun) {
  candidates_.set(0, 200);
  start(8);
  subblock_run run{};
  ASSERT_TRUE(memplug_plan_next_contiguous(&plan_, 64, 64, &run));
  expect_run(run, 128, 64);
}

TEST_F(Planner, PassesOverPlacesWithAHoleOrASeam) {
  candidates_.set(0, 256);
  candidates_.clear(200);
  seams_.set(100);
  start(8);
  subblock_run run{};
  ASSERT_TRUE(memplug_plan_next_contiguous(&plan_, 64, 1, &run));
  expect_run(run, 136, 64);
  candidates_.clear(150);
  ASSERT_TRUE(memplug_plan_next_contiguous(&plan_, 64, 1, &run));
  expect_run(run, 36, 64);
}

TEST_F(Planner, OffersTheSamePlaceAgainUntilACandidateIsCleared) {
  candidates_.set(0, 128);
  start(8);
  subblock_run first{};
  subblock_run second{};
  ASSERT_TRUE(memplug_plan_next_contiguous(&plan_, 32, 1, &first));
  ASSERT_TRUE(memplug_plan_next_contiguous(&plan_, 32, 1, &second));
  expect_run(second, first.first, first.nr);
}

TEST_F(Planner, FindsTheCheapestPlaceForOneRun) {
  candidates_.set(0, 256);
  set_cost(0, 256, 2);
  set_cost(40, 40, 1);
  cost_[60] = 8;
  start(8);
  subblock_run run{};
  ASSERT_TRUE(memplug_plan_next_contiguous(&plan_, 16, 1, &run));
  expect_run(run, 64, 16);
  ASSERT_TRUE(memplug_plan_next_contiguous(&plan_, 32, 32, &run));
  expect_run(run, 32, 32);
  cost_[70] = PLAN_UNKNOWN;
  ASSERT_TRUE(memplug_plan_next_contiguous(&plan_, 16, 1, &run));
  expect_run(run, 44, 16);
}

TEST_F(Planner, EndsWhenNoPlaceIsLeft) {
  candidates_.set(0, 31);
  start(8);
  subblock_run run{};
  EXPECT_FALSE(memplug_plan_next_contiguous(&plan_, 32, 1, &run));
  EXPECT_FALSE(memplug_plan_next_contiguous(&plan_, 0, 1, &run));
  EXPECT_FALSE(memplug_plan_next_contiguous(&plan_, 1, 0, &run));
}

}  // namespace
