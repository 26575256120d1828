// SPDX-License-Identifier: MIT
// What is kept out as bad: nothing gives it back, and what is not out yet is wanted.
#include "books_fixture.hpp"

namespace memplug::test {
namespace {

class Quarantine : public Books {
 protected:
  static std::vector<Listed> list_quarantined() {
    return listed_by(memplug_region_list_quarantined);
  }
  static region_aim aim() {
    region_aim aim{};
    memplug_region_read_aim(&aim);
    return aim;
  }
  static unsigned long quarantined(subblock_run run, unsigned long wanted_unplugged) {
    unsigned long unplugged = 0;
    const unsigned long marked = memplug_region_quarantined(run, &unplugged);
    EXPECT_EQ(unplugged, wanted_unplugged);
    return marked;
  }
};

constexpr u32 bad = MEMPLUG_RANGE_QUARANTINED;
constexpr u32 bad_and_wanted = MEMPLUG_RANGE_QUARANTINED | MEMPLUG_RANGE_WANTED;

TEST_F(Quarantine, WhatIsUnpluggedStaysSo) {
  EXPECT_FALSE(memplug_region_any_quarantined());
  EXPECT_EQ(memplug_region_quarantine({25, 5}, true), 5U);
  EXPECT_TRUE(memplug_region_any_quarantined());
  EXPECT_EQ(list(), (std::vector<Listed>{{20, 5, 0, 0}, {25, 5, bad, 0}, {30, 10, 0, 0}}));
  EXPECT_EQ(list_quarantined(), (std::vector<Listed>{{25, 5, bad, 0}}));
  EXPECT_FALSE(memplug_region_reserve({25, 1}, REGION_PLUG));
  EXPECT_FALSE(memplug_region_reserve_in_need(25));
  EXPECT_EQ(memplug_region_hold(25), unsigned{MEMPLUG_REASON_QUARANTINED});
  EXPECT_TRUE(memplug_region_reserve({24, 1}, REGION_PLUG));
  EXPECT_EQ(quarantined(everything, 5), 5U);
  EXPECT_EQ(quarantined({29, 10}, 1), 1U);
  EXPECT_EQ(quarantined({30, 10}, 0), 0U);
}

TEST_F(Quarantine, WhatIsPluggedIsWanted) {
  EXPECT_EQ(memplug_region_quarantine({38, 4}, true), 4U);
  EXPECT_EQ(memplug_region_quarantine({38, 4}, true), 0U) << "they are marked already";
  EXPECT_EQ(list_quarantined(), (std::vector<Listed>{{38, 2, bad, 0}, {40, 2, bad_and_wanted, 0}}));
  EXPECT_EQ(sizes().wanted, 2U);
  EXPECT_EQ(quarantined(everything, 2), 4U);
  take({40, 2});
  EXPECT_EQ(sizes().wanted, 0U);
  EXPECT_EQ(list_quarantined(), (std::vector<Listed>{{38, 4, bad, 0}}));
}

TEST_F(Quarantine, ItsEndMakesItOrdinary) {
  memplug_region_quarantine({38, 4}, true);
  EXPECT_EQ(memplug_region_quarantine({0, 200}, false), 4U);
  EXPECT_EQ(memplug_region_quarantine({0, 200}, false), 0U);
  EXPECT_FALSE(memplug_region_any_quarantined());
  EXPECT_EQ(list(), (std::vector<Listed>{{20, 20, 0, 0}}));
  EXPECT_EQ(sizes().wanted, 0U);
  EXPECT_TRUE(memplug_region_reserve({38, 1}, REGION_PLUG));
}

TEST_F(Quarantine, IsToldOfOnce) {
  const u64 generation = memplug_region_generation();
  memplug_region_quarantine({38, 4}, true);
  EXPECT_EQ(memplug_region_generation(), generation + 1);
  memplug_region_quarantine({38, 4}, true);
  EXPECT_EQ(memplug_region_generation(), generation + 1) << "nothing has changed";
}

TEST_F(Quarantine, NothingBehindTheBooksIsMarked) {
  EXPECT_EQ(memplug_region_quarantine({0, 16}, true), 0U) << "it is not managed";
  EXPECT_EQ(memplug_region_quarantine({100000, none / 2}, true), 0U);
  EXPECT_EQ(memplug_region_quarantine({199, none / 2}, true), 1U);
  EXPECT_EQ(quarantined({none / 2, 5}, 0), 0U);
}

TEST_F(Quarantine, TakesWhatIsTiedFromItsDescriptor) {
  region_owner& owner = enter(1);
  take_for(owner, {50, 2});
  memplug_region_quarantine({50, 1}, true);
  EXPECT_EQ(owner.nr, 1U);
  EXPECT_EQ(list().at(1), (Listed{50, 1, bad, 0}));
  EXPECT_EQ(list().at(2), (Listed{51, 1, MEMPLUG_RANGE_TIED, 1}));
  give_back(owner);
  EXPECT_EQ(list().back(), (Listed{50, 1, bad, 0}));
}

TEST_F(Quarantine, TakesWhatARunningRequestHasTaken) {
  region_owner& request = enter_request();
  take_unsettled(request, {50, 2});
  memplug_region_quarantine({50, 1}, true);
  EXPECT_FALSE(memplug_region_reserve_owned(50, &request)) << "a roll-back leaves it";
  EXPECT_TRUE(memplug_region_reserve_owned(51, &request));
}

TEST_F(Quarantine, WhatIsBeingClaimedIsTiedToNobody) {
  region_owner& owner = enter(1);
  ASSERT_TRUE(memplug_region_reserve({50, 2}, REGION_UNPLUG));
  memplug_region_quarantine({50, 1}, true);
  EXPECT_EQ(sizes().wanted, 0U) << "somebody is about to have it";
  memplug_region_commit_taken({50, 2}, &owner);
  EXPECT_EQ(owner.nr, 1U);
  EXPECT_EQ(list_quarantined(), (std::vector<Listed>{{50, 1, bad, 0}}));
}

TEST_F(Quarantine, AClaimThatFailsLeavesItWanted) {
  ASSERT_EQ(memplug_region_set_target(100), 0);
  ASSERT_TRUE(memplug_region_reserve({50, 2}, REGION_UNPLUG));
  memplug_region_quarantine({50, 1}, true);
  const u64 generation = memplug_region_generation();
  memplug_region_abort({50, 2});
  EXPECT_EQ(sizes().wanted, 1U);
  EXPECT_EQ(sizes().target, 99U);
  EXPECT_GT(memplug_region_generation(), generation) << "the worker has to learn of it";
}

TEST_F(Quarantine, AClaimThatEndsAfterItsEndIsNotForIt) {
  memplug_region_quarantine({50, 2}, true);
  ASSERT_TRUE(memplug_region_reserve({50, 2}, REGION_UNPLUG));
  memplug_region_quarantine({50, 1}, false);
  EXPECT_FALSE(memplug_region_commit_wanted({50, 2})) << "nobody wants the first any more";
  EXPECT_FALSE(memplug_region_reserve({51, 1}, REGION_UNPLUG)) << "the reservation lasts";
  memplug_region_abort({50, 2});
  EXPECT_EQ(sizes().wanted, 1U);
  ASSERT_TRUE(memplug_region_reserve({51, 1}, REGION_UNPLUG));
  EXPECT_TRUE(memplug_region_commit_wanted({51, 1}));
  EXPECT_EQ(sizes().wanted, 0U);
  EXPECT_EQ(list_quarantined(), (std::vector<Listed>{{51, 1, bad, 0}}));
}

TEST_F(Quarantine, WhatIsBeingGivenBackIsWanted) {
  ASSERT_TRUE(memplug_region_reserve({30, 2}, REGION_PLUG));
  memplug_region_quarantine({30, 1}, true);
  EXPECT_EQ(sizes().wanted, 0U);
  memplug_region_commit({30, 2}, REGION_PLUG, REGION_ASKED);
  EXPECT_EQ(sizes().wanted, 1U);
  EXPECT_EQ(list_quarantined(), (std::vector<Listed>{{30, 1, bad_and_wanted, 0}}));
}

TEST_F(Quarantine, TheTargetMovesAndDropsNoneOfIt) {
  ASSERT_EQ(memplug_region_set_target(150), 0);
  memplug_region_quarantine({50, 10}, true);
  EXPECT_EQ(sizes().target, 140U);
  EXPECT_EQ(aim().wanted_here, 10U);
  EXPECT_EQ(aim().droppable_here, 0U);
  memplug_region_drop_wanted_here(5);
  EXPECT_EQ(aim().wanted_here, 10U);
  memplug_region_drop_wanted(everything, NUMA_NO_NODE);
  EXPECT_EQ(aim().wanted_here, 10U) << "PLUG of everything does not mean what is bad";
  memplug_region_quarantine({50, 10}, false);
  EXPECT_EQ(sizes().target, 150U);
}

TEST_F(Quarantine, WhatElseIsWantedIsDroppable) {
  ASSERT_EQ(leave({32, 16}), 0);
  memplug_region_gone(subblock_pfn(32), 16 * subblock_pages());
  EXPECT_EQ(memplug_region_update(subblock_pfn(32), 16 * subblock_pages()), 0);
  memplug_region_quarantine({50, 2}, true);
  EXPECT_EQ(aim().wanted_here, 10U);
  EXPECT_EQ(aim().droppable_here, 8U);
  memplug_region_drop_wanted_here(100);
  EXPECT_EQ(aim().wanted_here, 2U);
}

TEST_F(Quarantine, ABlockMayGoAndWhatIsMarkedIsFoundWhenItIsBack) {
  memplug_region_quarantine({38, 4}, true);
  take({40, 2});
  ASSERT_EQ(leave({32, 16}), 0);
  EXPECT_EQ(list_quarantined(), (std::vector<Listed>{{38, 4, bad_and_wanted, 0}}));
  memplug_region_gone(subblock_pfn(32), 16 * subblock_pages());
  EXPECT_EQ(memplug_region_next_to_retake(0), none) << "it is away";
  EXPECT_EQ(memplug_region_update(subblock_pfn(32), 16 * subblock_pages()), 0);
  EXPECT_EQ(memplug_region_next_to_retake(0), 38U);
  take({38, 1});
  EXPECT_EQ(memplug_region_next_to_retake(0), 39U);
  ASSERT_TRUE(memplug_region_reserve({39, 3}, REGION_UNPLUG));
  EXPECT_EQ(memplug_region_next_to_retake(0), none) << "somebody is about to have it";
}

TEST_F(Quarantine, ABlockThatStaysIsAsItWas) {
  memplug_region_quarantine({38, 2}, true);
  ASSERT_EQ(leave({32, 16}), 0);
  memplug_region_quarantine({36, 1}, true);
  EXPECT_EQ(memplug_region_update(subblock_pfn(32), 16 * subblock_pages()), 0);
  for (unsigned long i = memplug_region_next_leaving(0); i != none;
       i = memplug_region_next_leaving(i + 1)) {
    EXPECT_TRUE(memplug_region_stay(i, false));
  }
  EXPECT_EQ(list(),
            (std::vector<Listed>{{20, 16, 0, 0}, {36, 1, bad, 0}, {37, 1, 0, 0}, {38, 2, bad, 0}}));
  EXPECT_EQ(sizes().wanted, 0U);
}

TEST_F(Quarantine, WhatIsMappedStaysMapped) {
  region_mapping& mapping = map({25, 2});
  memplug_region_quarantine({25, 1}, true);
  EXPECT_EQ(list().at(1), (Listed{25, 1, bad | MEMPLUG_RANGE_MAPPED, 0}));
  memplug_region_unmap(&mapping);
  EXPECT_FALSE(memplug_region_reserve({25, 1}, REGION_PLUG));
  EXPECT_TRUE(memplug_region_reserve({26, 1}, REGION_PLUG));
  EXPECT_EQ(try_map({25, 1}), 0) << "it may be looked at";
}

TEST_F(Quarantine, ItsStateSaysSo) {
  memplug_region_quarantine({39, 2}, true);
  int nid = 0;
  u32 flags = 0;
  EXPECT_EQ(memplug_region_state(39, &nid, &flags), unsigned{MEMPLUG_SUBBLOCK_UNPLUGGED});
  EXPECT_EQ(flags, MEMPLUG_SUBBLOCK_QUARANTINED);
  EXPECT_EQ(memplug_region_state(40, &nid, &flags), unsigned{MEMPLUG_SUBBLOCK_PLUGGED});
  EXPECT_EQ(flags, MEMPLUG_SUBBLOCK_QUARANTINED | MEMPLUG_SUBBLOCK_WANTED);
}

TEST_F(Quarantine, ASnapshotLeavesItOut) {
  memplug_region_quarantine({25, 2}, true);
  const Snapshot plug(REGION_PLUG);
  EXPECT_EQ(plug.view().nr_held, 2U);
  EXPECT_EQ(plug.view().nr_ready, 18U);
}

TEST_F(Quarantine, NodesAndStatesDivideTheList) {
  memplug_region_quarantine({98, 4}, true);
  take({101, 1});
  const std::vector<Listed> ranges = list_quarantined();
  EXPECT_EQ(ranges,
            (std::vector<Listed>{
                {98, 2, bad_and_wanted, 0}, {100, 1, bad_and_wanted, 0}, {101, 1, bad, 0}}));
}

// It is counted by words of 64.
TEST_F(Quarantine, IsCountedFromAnywhereToAnywhere) {
  take({40, 100});
  memplug_region_quarantine({60, 132}, true);
  EXPECT_EQ(quarantined(everything, 80), 132U);
  EXPECT_EQ(quarantined({0, 64}, 4), 4U);
  EXPECT_EQ(quarantined({64, 64}, 64), 64U);
  EXPECT_EQ(quarantined({63, 2}, 2), 2U);
  EXPECT_EQ(quarantined({139, 2}, 1), 2U);
  EXPECT_EQ(quarantined({127, 66}, 13), 65U);
  EXPECT_EQ(quarantined({70, 3}, 3), 3U);
  EXPECT_EQ(quarantined({64, 0}, 0), 0U);
  EXPECT_EQ(memplug_region_next_to_retake(0), 140U);
  EXPECT_EQ(memplug_region_next_to_retake(191), 191U);
  EXPECT_EQ(memplug_region_next_to_retake(192), none);
}

TEST_F(Quarantine, RangesEndAtTheEndOfAWordAsAnywhere) {
  take({40, 88});
  memplug_region_quarantine({60, 132}, true);
  map({64, 1});
  EXPECT_EQ(list_quarantined(), (std::vector<Listed>{{60, 4, bad, 0},
                                                     {64, 1, bad | MEMPLUG_RANGE_MAPPED, 0},
                                                     {65, 35, bad, 0},
                                                     {100, 28, bad, 0},
                                                     {128, 64, bad_and_wanted, 0}}));
  ASSERT_EQ(leave({176, 16}), 0);
  EXPECT_EQ(list_quarantined().at(4), (Listed{128, 48, bad_and_wanted, 0}));
  EXPECT_EQ(list_quarantined().at(5), (Listed{176, 16, bad_and_wanted, 0}));
}

}  // namespace
}  // namespace memplug::test
