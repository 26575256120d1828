// SPDX-License-Identifier: MIT
// Who holds on to what is unplugged: descriptors, requests and mappings.
#include "books_fixture.hpp"

namespace memplug::test {
namespace {

using Holds = Books;

TEST_F(Holds, TiedIsListedWithItsOpener) {
  const region_owner& owner = enter(4711);
  take_for(owner, {40, 5});
  EXPECT_EQ(list(), (std::vector<Listed>{{20, 20, 0, 0}, {40, 5, MEMPLUG_RANGE_TIED, 4711}}));
  EXPECT_EQ(owner.nr, 5U);
}

TEST_F(Holds, TwoOwnersAreNotMerged) {
  take_for(enter(1), {40, 5});
  take_for(enter(2), {45, 5});
  EXPECT_EQ(list(),
            (std::vector<Listed>{
                {20, 20, 0, 0}, {40, 5, MEMPLUG_RANGE_TIED, 1}, {45, 5, MEMPLUG_RANGE_TIED, 2}}));
}

TEST_F(Holds, AnOwnersNeighboursAreMerged) {
  const region_owner& owner = enter(1);
  take_for(owner, {45, 5});
  take_for(owner, {40, 5});
  EXPECT_EQ(list().back(), (Listed{40, 10, MEMPLUG_RANGE_TIED, 1}));
}

TEST_F(Holds, TiedIsNobodyElsesToPlug) {
  region_owner& owner = enter(1);
  const region_owner& other = enter(2);
  take_for(owner, {40, 2});
  EXPECT_FALSE(memplug_region_reserve({40, 1}, REGION_PLUG));
  EXPECT_FALSE(memplug_region_reserve({39, 2}, REGION_PLUG)) << "an ordinary one beside it";
  EXPECT_FALSE(memplug_region_reserve_owned(40, &other));
  EXPECT_EQ(memplug_region_hold(40), unsigned{MEMPLUG_REASON_HELD});
  EXPECT_EQ(memplug_region_hold(39), unsigned{MEMPLUG_REASON_BUSY}) << "nobody holds it";
  give_back(owner);
  EXPECT_EQ(list(), (std::vector<Listed>{{20, 20, 0, 0}}));
  EXPECT_EQ(owner.nr, 0U);
}

TEST_F(Holds, WhatIsPluggedIsTiedToNobodyWhenItIsTakenAgain) {
  region_owner& owner = enter(1);
  take_for(owner, {40, 2});
  give_back(owner);
  take({40, 2});
  EXPECT_EQ(list(), (std::vector<Listed>{{20, 22, 0, 0}}));
  EXPECT_TRUE(memplug_region_reserve({40, 2}, REGION_PLUG));
}

TEST_F(Holds, UntyingMakesItOrdinary) {
  region_owner& owner = enter(1);
  take_for(owner, {40, 2});
  memplug_region_untie(40);
  EXPECT_EQ(list(), (std::vector<Listed>{{20, 21, 0, 0}, {41, 1, MEMPLUG_RANGE_TIED, 1}}));
  EXPECT_EQ(owner.nr, 1U);
  EXPECT_TRUE(memplug_region_reserve({40, 1}, REGION_PLUG));
}

TEST_F(Holds, ThereIsAnEndToOwners) {
  for (unsigned long i = 0; i < REGION_MAX_DESCRIPTORS; ++i) {
    enter(i + 1);
  }
  region_owner late{};
  EXPECT_EQ(memplug_region_enter_owner(&late), -EUSERS);
  // Requests have an end of their own.
  for (unsigned long i = 0; i < REGION_MAX_REQUESTS; ++i) {
    enter_request();
  }
  late.is_request = true;
  EXPECT_EQ(memplug_region_enter_owner(&late), -EUSERS);
}

TEST_F(Holds, WhatARequestTakesIsItsOwnUntilItIsSettled) {
  region_owner& request = enter_request();
  const region_owner& other = enter_request();
  take_unsettled(request, {40, 3});
  EXPECT_EQ(list(), (std::vector<Listed>{{20, 23, 0, 0}})) << "it is listed as any other";
  EXPECT_FALSE(memplug_region_reserve({40, 1}, REGION_PLUG));
  EXPECT_FALSE(memplug_region_reserve_owned(40, &other));
  EXPECT_EQ(memplug_region_hold(40), unsigned{MEMPLUG_REASON_BUSY});
  EXPECT_EQ(try_map({40, 1}), -EBUSY);
  EXPECT_TRUE(memplug_region_reserve_owned(41, &request)) << "it may give it back";
  memplug_region_commit({41, 1}, REGION_PLUG, REGION_ASKED);
  EXPECT_EQ(request.nr, 2U);
  memplug_region_settle(&request);
  EXPECT_EQ(request.nr, 0U);
  EXPECT_EQ(try_map({40, 1}), 0);
  EXPECT_FALSE(memplug_region_reserve_owned(40, &request));
  EXPECT_TRUE(memplug_region_reserve({40, 1}, REGION_PLUG));
  memplug_region_leave_owner(&request);
  EXPECT_EQ(enter_request().number, request.number) << "its place is free";
}

TEST_F(Holds, SettlingIsOneRequestsOnly) {
  const region_owner& one = enter_request();
  const region_owner& other = enter_request();
  take_unsettled(one, {40, 1});
  take_unsettled(other, {41, 1});
  take_unsettled(one, {42, 1});
  memplug_region_settle(&one);
  EXPECT_TRUE(memplug_region_reserve({40, 1}, REGION_PLUG));
  EXPECT_FALSE(memplug_region_reserve({41, 1}, REGION_PLUG));
  EXPECT_TRUE(memplug_region_reserve({42, 1}, REGION_PLUG));
}

TEST_F(Holds, WhatIsTiedIsNotMappedBeforeItsRequestIsSettled) {
  const region_owner& owner = enter(1);
  take_unsettled(owner, {40, 2});
  EXPECT_EQ(list().back(), (Listed{40, 2, MEMPLUG_RANGE_TIED, 1}));
  EXPECT_EQ(try_map({40, 1}), -EBUSY);
  memplug_region_settle(&owner);
  EXPECT_EQ(try_map({40, 1}), 0);
  EXPECT_EQ(owner.nr, 2U) << "it is still tied";
}

TEST_F(Holds, InNeedWhatARequestTookGoesBackAndWhoTakesItNextHasIt) {
  const region_owner& request = enter_request();
  const region_owner& next = enter_request();
  take_unsettled(request, {40, 1});
  ASSERT_TRUE(memplug_region_reserve_in_need(40));
  memplug_region_commit({40, 1}, REGION_PLUG, REGION_NEED);
  take_unsettled(next, {40, 1});
  EXPECT_FALSE(memplug_region_reserve_owned(40, &request)) << "it is another's";
  memplug_region_settle(&request);
  EXPECT_FALSE(memplug_region_reserve({40, 1}, REGION_PLUG)) << "the other one still runs";
  // What is held or busy does not go back in need either, and what is plugged has.
  take_for(enter(1), {50, 1});
  map({20, 1});
  ASSERT_TRUE(memplug_region_reserve({21, 1}, REGION_PLUG));
  EXPECT_FALSE(memplug_region_reserve_in_need(50));
  EXPECT_FALSE(memplug_region_reserve_in_need(20));
  EXPECT_FALSE(memplug_region_reserve_in_need(21));
  EXPECT_FALSE(memplug_region_reserve_in_need(60));
  EXPECT_FALSE(memplug_region_reserve_in_need(none));
}

TEST_F(Holds, WhatARequestTookMayGoOfflineAndStaysItsOwnIfItComesBack) {
  const region_owner& request = enter_request();
  take_unsettled(request, {40, 1});
  ASSERT_EQ(leave({32, 16}), 0);
  EXPECT_EQ(memplug_region_update(subblock_pfn(32), 16 * subblock_pages()), 0);
  EXPECT_TRUE(memplug_region_stay(40, false));
  EXPECT_FALSE(memplug_region_reserve({40, 1}, REGION_PLUG));
  EXPECT_TRUE(memplug_region_reserve_owned(40, &request));
}

TEST_F(Holds, WhatARequestGivesBackIsNotWantedWhetherItLeavesOrHasGoneOrIsBack) {
  const region_owner& request = enter_request();
  ASSERT_EQ(memplug_region_set_target(150), 0);
  take_unsettled(request, {40, 4});
  ASSERT_EQ(leave({32, 16}), 0);
  EXPECT_EQ(sizes().wanted, 12U);
  EXPECT_FALSE(memplug_region_reserve_owned(40, &request)) << "it is about to go";
  EXPECT_EQ(sizes().wanted, 11U);
  EXPECT_EQ(memplug_region_update(subblock_pfn(32), 16 * subblock_pages()), 0);
  EXPECT_FALSE(memplug_region_stay(40, false)) << "nobody wants it to be held";
  EXPECT_TRUE(memplug_region_stay(41, false));
  EXPECT_TRUE(memplug_region_reserve_owned(41, &request))
      << "it stayed, and is the request's still";
  memplug_region_commit({41, 1}, REGION_PLUG, REGION_ASKED);

  for (unsigned long i = 32; i < 40; i++) {
    EXPECT_TRUE(memplug_region_stay(i, false));
  }
  EXPECT_TRUE(memplug_region_stay(42, false));
  EXPECT_TRUE(memplug_region_stay(43, false));
  ASSERT_EQ(leave({32, 16}), 0);
  memplug_region_gone(subblock_pfn(32), 16 * subblock_pages());
  EXPECT_FALSE(memplug_region_reserve_owned(42, &request)) << "it has gone";
  EXPECT_EQ(sizes().wanted, 9U);
  EXPECT_EQ(memplug_region_update(subblock_pfn(32), 16 * subblock_pages()), 0);
  EXPECT_FALSE(memplug_region_reserve({43, 1}, REGION_UNPLUG))
      << "its request may not want it any more";
  EXPECT_FALSE(memplug_region_reserve_owned(43, &request)) << "it is back, and plugged";
  EXPECT_EQ(sizes().wanted, 8U);
  EXPECT_EQ(request.nr, 0U);
  EXPECT_TRUE(memplug_region_reserve({40, 4}, REGION_UNPLUG)) << "all of it is anybody's";
  EXPECT_EQ(sizes().target, 150U) << "as if the request had never been";
}

TEST_F(Holds, WhatARequestKeepsIsWantedWhenItIsBack) {
  const region_owner& request = enter_request();
  take_unsettled(request, {40, 2});
  ASSERT_EQ(leave({32, 16}), 0);
  memplug_region_gone(subblock_pfn(32), 16 * subblock_pages());
  EXPECT_EQ(memplug_region_update(subblock_pfn(32), 16 * subblock_pages()), 0);
  EXPECT_FALSE(memplug_region_reserve({40, 1}, REGION_UNPLUG));
  memplug_region_settle(&request);
  EXPECT_EQ(request.nr, 0U);
  EXPECT_EQ(sizes().wanted, 10U);
  ASSERT_TRUE(memplug_region_reserve({40, 2}, REGION_UNPLUG));
  EXPECT_TRUE(memplug_region_commit_wanted({40, 2}));
}

TEST_F(Holds, ASnapshotHasWhatAnotherRequestTookAsBusy) {
  take_unsettled(enter_request(), {40, 5});
  for (const region_direction direction : {REGION_PLUG, REGION_UNPLUG}) {
    const Snapshot snapshot(direction);
    EXPECT_EQ(snapshot.view().nr_busy, 5U);
    EXPECT_EQ(snapshot.view().nr_held, 0U);
    EXPECT_TRUE(test_bit(44, snapshot.view().busy));
    EXPECT_FALSE(test_bit(44, snapshot.view().ready));
  }
}

TEST_F(Holds, AClosedOwnerWithoutAnythingIsForgotten) {
  region_owner& owner = enter(1);
  EXPECT_EQ(memplug_region_take_closed(), nullptr) << "it is not closed";
  memplug_region_close_owner(&owner);
  EXPECT_EQ(memplug_region_take_closed(), &owner);
  EXPECT_EQ(memplug_region_take_closed(), nullptr) << "somebody has it";
  EXPECT_TRUE(memplug_region_put_closed(&owner));
  EXPECT_EQ(memplug_region_take_closed(), nullptr);
}

TEST_F(Holds, AClosedOwnerWaitsForItsMappings) {
  region_owner& owner = enter(1);
  take_for(owner, {40, 4});
  region_mapping& mapping = map({42, 1});
  memplug_region_close_owner(&owner);
  ASSERT_EQ(memplug_region_take_closed(), &owner);
  give_back(owner);
  EXPECT_FALSE(memplug_region_put_closed(&owner)) << "something is mapped still";
  EXPECT_EQ(list(), (std::vector<Listed>{{20, 20, 0, 0},
                                         {42, 1, MEMPLUG_RANGE_TIED | MEMPLUG_RANGE_MAPPED, 1}}));
  EXPECT_EQ(memplug_region_take_closed(), nullptr) << "there is nothing to be done";
  memplug_region_unmap(&mapping);
  ASSERT_EQ(memplug_region_take_closed(), &owner);
  give_back(owner);
  EXPECT_TRUE(memplug_region_put_closed(&owner));
  EXPECT_EQ(list(), (std::vector<Listed>{{20, 20, 0, 0}}));
}

TEST_F(Holds, WhatIsUnmappedWhileSomebodyGivesBackIsFoundAgain) {
  region_owner& owner = enter(1);
  take_for(owner, {40, 2});
  region_mapping& mapping = map({40, 1});
  memplug_region_close_owner(&owner);
  ASSERT_EQ(memplug_region_take_closed(), &owner);
  give_back(owner);
  memplug_region_unmap(&mapping);
  EXPECT_EQ(memplug_region_take_closed(), nullptr) << "somebody has it";
  EXPECT_FALSE(memplug_region_put_closed(&owner)) << "something became free behind who gave back";
  ASSERT_EQ(memplug_region_take_closed(), &owner);
  give_back(owner);
  EXPECT_TRUE(memplug_region_put_closed(&owner));
}

TEST_F(Holds, AClosedOwnerWaitsForTheLastMappingOfSomethingOfIt) {
  region_owner& owner = enter(1);
  take_for(owner, {40, 4});
  region_mapping& wide = map({38, 6});
  region_mapping& narrow = map({40, 4});
  memplug_region_close_owner(&owner);
  ASSERT_EQ(memplug_region_take_closed(), &owner);
  EXPECT_FALSE(memplug_region_put_closed(&owner));
  memplug_region_unmap(&wide);
  EXPECT_EQ(memplug_region_take_closed(), nullptr) << "another still shows all of it";
  memplug_region_unmap(&narrow);
  EXPECT_EQ(memplug_region_take_closed(), &owner);
}

TEST_F(Holds, AClosedOwnerWhoseLastIsTakenFromItIsForgotten) {
  region_owner& owner = enter(1);
  take_for(owner, {40, 1});
  map({40, 1});
  memplug_region_close_owner(&owner);
  ASSERT_EQ(memplug_region_take_closed(), &owner);
  EXPECT_FALSE(memplug_region_put_closed(&owner));
  memplug_region_quarantine({40, 1}, true);
  ASSERT_EQ(memplug_region_take_closed(), &owner);
  EXPECT_TRUE(memplug_region_put_closed(&owner));
}

// What happens around the end of a descriptor, in any order: nothing of it is left behind.
class OwnersEnd : public Books {
 protected:
  void begin() {
    owner_ = region_owner{};
    owner_.opener = process(1);
    ASSERT_EQ(memplug_region_enter_owner(&owner_), 0);
    take_for(owner_, {40, 6});
    one_.run = {40, 4};
    other_.run = {42, 3};
    ASSERT_EQ(memplug_region_map(&one_), 0);
    ASSERT_EQ(memplug_region_map(&other_), 0);
    forgotten_ = false;
    taken_ = false;
  }

  void act(int action) {
    switch (action) {
      case 0:
        memplug_region_close_owner(&owner_);
        break;
      case 1:
        memplug_region_unmap(&one_);
        break;
      case 2:
        memplug_region_unmap(&other_);
        break;
      case 3:
        memplug_region_quarantine({42, 2}, true);
        break;
      case 4:
        take();
        break;
      default:
        put();
        break;
    }
  }

  void end() {
    put();
    for (take(); taken_; take()) {
      put();
    }
    EXPECT_TRUE(forgotten_);
    memplug_region_quarantine({42, 2}, false);
    // It was given back if that came first, and else kept.
    if (memplug_region_is_unplugged(42)) {
      ASSERT_TRUE(memplug_region_reserve({42, 2}, REGION_PLUG));
      memplug_region_commit({42, 2}, REGION_PLUG, REGION_ASKED);
    }
    EXPECT_EQ(list(), (std::vector<Listed>{{20, 20, 0, 0}}));
  }

 private:
  void take() {
    region_owner* found = memplug_region_take_closed();
    EXPECT_TRUE(found == nullptr || (found == &owner_ && !taken_ && !forgotten_));
    taken_ = taken_ || found != nullptr;
    if (found != nullptr) {
      give_back(owner_);
    }
  }
  void put() {
    if (taken_) {
      EXPECT_FALSE(forgotten_);
      forgotten_ = memplug_region_put_closed(&owner_);
      EXPECT_EQ(forgotten_, owner_.nr == 0);
    }
    taken_ = false;
  }

  region_owner owner_{};
  region_mapping one_{};
  region_mapping other_{};
  bool forgotten_ = false;
  bool taken_ = false;
};

TEST_F(OwnersEnd, LeavesNothingBehindWhateverComesFirst) {
  std::array<int, 6> actions{0, 1, 2, 3, 4, 5};
  do {
    begin();
    for (const int action : actions) {
      act(action);
    }
    end();
  } while (std::next_permutation(actions.begin(), actions.end()) && !HasFailure());
}

TEST_F(Holds, MappedIsListed) {
  map({25, 5});
  EXPECT_EQ(list(),
            (std::vector<Listed>{{20, 5, 0, 0}, {25, 5, MEMPLUG_RANGE_MAPPED, 0}, {30, 10, 0, 0}}));
  EXPECT_FALSE(memplug_region_reserve({25, 1}, REGION_PLUG));
  EXPECT_EQ(memplug_region_hold(25), unsigned{MEMPLUG_REASON_MAPPED});
  EXPECT_TRUE(memplug_region_reserve({24, 1}, REGION_PLUG));
}

TEST_F(Holds, TheLastMappingCounts) {
  region_mapping& wide = map({20, 20});
  region_mapping& narrow = map({24, 2});
  region_mapping& other = map({25, 2});
  memplug_region_unmap(&wide);
  EXPECT_EQ(list(),
            (std::vector<Listed>{{20, 4, 0, 0}, {24, 3, MEMPLUG_RANGE_MAPPED, 0}, {27, 13, 0, 0}}));
  memplug_region_unmap(&narrow);
  EXPECT_EQ(list().at(1), (Listed{25, 2, MEMPLUG_RANGE_MAPPED, 0}));
  memplug_region_unmap(&other);
  EXPECT_EQ(list(), (std::vector<Listed>{{20, 20, 0, 0}}));
  EXPECT_TRUE(memplug_region_reserve({20, 20}, REGION_PLUG));
}

// More than is unmapped under one hold of the lock.
class HoldsOfMany : public ::testing::Test {
 protected:
  static constexpr unsigned long nr = 3 * 4096 + 100;

  void SetUp() override {
    machine_.add({0, nr}, 0);
    ASSERT_EQ(memplug_region_init(), 0);
    ASSERT_TRUE(memplug_region_reserve({0, nr}, REGION_UNPLUG));
    memplug_region_commit({0, nr}, REGION_UNPLUG, REGION_ASKED);
  }
  void TearDown() override { machine_meanwhile = nullptr; }

  static region_mapping& map(region_mapping& mapping, subblock_run run) {
    mapping.run = run;
    EXPECT_EQ(memplug_region_map(&mapping), 0);
    return mapping;
  }

  inline static region_mapping another{};
  inline static std::vector<Listed> seen;

 private:
  Machine machine_{1};
};

TEST_F(HoldsOfMany, WhatOthersShowStaysMapped) {
  region_mapping all{};
  region_mapping across{};
  region_mapping last{};
  map(all, {0, nr});
  map(across, {4000, 5000});
  map(last, {nr - 1, 1});
  memplug_region_unmap(&all);
  EXPECT_EQ(list(), (std::vector<Listed>{{0, 4000, 0, 0},
                                         {4000, 5000, MEMPLUG_RANGE_MAPPED, 0},
                                         {9000, nr - 9001, 0, 0},
                                         {nr - 1, 1, MEMPLUG_RANGE_MAPPED, 0}}));
  memplug_region_unmap(&across);
  memplug_region_unmap(&last);
  EXPECT_TRUE(memplug_region_reserve({0, nr}, REGION_PLUG));
}

TEST_F(HoldsOfMany, WhatIsMappedInTheMiddleOfAnUnmapStaysMapped) {
  region_mapping all{};
  map(all, {0, nr});
  machine_meanwhile = [] {
    machine_meanwhile = nullptr;
    seen = list();
    map(another, {4090, 10});
  };
  memplug_region_unmap(&all);
  EXPECT_EQ(seen,
            (std::vector<Listed>{{0, 4096, 0, 0}, {4096, nr - 4096, MEMPLUG_RANGE_MAPPED, 0}}))
      << "what is not looked at yet is as it was";
  EXPECT_EQ(list(),
            (std::vector<Listed>{
                {0, 4090, 0, 0}, {4090, 10, MEMPLUG_RANGE_MAPPED, 0}, {4100, nr - 4100, 0, 0}}));
  memplug_region_unmap(&another);
  EXPECT_TRUE(memplug_region_reserve({0, nr}, REGION_PLUG));
}

TEST_F(HoldsOfMany, AllIsSettledAndFoundAgain) {
  region_owner request{};
  region_owner descriptor{};
  request.is_request = true;
  ASSERT_EQ(memplug_region_enter_owner(&request), 0);
  ASSERT_EQ(memplug_region_enter_owner(&descriptor), 0);
  ASSERT_TRUE(memplug_region_reserve({0, nr}, REGION_PLUG));
  memplug_region_commit({0, nr}, REGION_PLUG, REGION_ASKED);
  for (unsigned long i = 0; i < nr; i += 1000) {
    const subblock_run run{i, std::min(1000UL, nr - i)};
    ASSERT_TRUE(memplug_region_reserve(run, REGION_UNPLUG));
    memplug_region_commit_taken(run, i % 2000 == 0 ? &request : &descriptor);
  }
  EXPECT_EQ(descriptor.nr, 6000U);
  memplug_region_settle(&request);
  EXPECT_EQ(request.nr, 0U);
  EXPECT_TRUE(memplug_region_reserve({12000, nr - 12000}, REGION_PLUG));
  EXPECT_FALSE(memplug_region_reserve_owned(12000, &request));
  EXPECT_EQ(try_map({1500, 1}), -EBUSY) << "the other has not settled";
  memplug_region_settle(&descriptor);
  EXPECT_EQ(descriptor.nr, 6000U);
  EXPECT_EQ(try_map({11999, 1}), 0);
  unsigned long found = 0;
  for (unsigned long i = memplug_region_next_tied(&descriptor, 0); i != none;
       i = memplug_region_next_tied(&descriptor, i + 1)) {
    EXPECT_EQ(i / 1000 % 2, 1U);
    found++;
  }
  EXPECT_EQ(found, 6000U);
}

TEST_F(HoldsOfMany, TwoUnmapsAtATimeLeaveNothingMapped) {
  region_mapping one{};
  map(one, {0, 9000});
  map(another, {4000, nr - 4000});
  machine_meanwhile = [] {
    machine_meanwhile = nullptr;
    memplug_region_unmap(&another);
  };
  memplug_region_unmap(&one);
  EXPECT_EQ(list(), (std::vector<Listed>{{0, nr, 0, 0}}));
}

TEST_F(Holds, OnlyWhatIsUnpluggedIsMapped) {
  EXPECT_EQ(try_map({19, 2}), -ENXIO);
  EXPECT_EQ(try_map({39, 2}), -ENXIO);
  EXPECT_EQ(try_map({50, 1}), -ENXIO);
  EXPECT_EQ(try_map({1000000, 1}), -ENXIO);
  EXPECT_EQ(try_map({none - 1, 1}), -ENXIO);
  EXPECT_EQ(try_map({20, none}), -ENXIO);
  EXPECT_EQ(try_map({20, 20}), 0);
}

TEST_F(Holds, WhatIsOnItsWayBackIsNotMapped) {
  ASSERT_TRUE(memplug_region_reserve({30, 1}, REGION_PLUG));
  EXPECT_EQ(try_map({29, 3}), -EBUSY);
  EXPECT_EQ(try_map({29, 1}), 0);
  memplug_region_abort({30, 1});
  EXPECT_EQ(try_map({29, 3}), 0);
}

TEST_F(Holds, ThereIsAnEndToMappings) {
  for (unsigned int i = 0; i < REGION_MAX_MAPPINGS; ++i) {
    map({20, 1});
  }
  EXPECT_EQ(try_map({20, 1}), -ENOMEM);
}

TEST_F(Holds, ASnapshotLeavesThemOut) {
  take_for(enter(1), {40, 5});
  map({20, 2});
  map({41, 1});
  const Snapshot plug(REGION_PLUG);
  EXPECT_EQ(plug.view().nr_held, 7U);
  EXPECT_EQ(plug.view().nr_busy, 7U);
  EXPECT_EQ(plug.view().nr_ready, 18U);
  EXPECT_EQ(plug.view().nr_already, 184U - 25U) << "what is plugged";
  EXPECT_TRUE(test_bit(44, plug.view().busy));
  EXPECT_FALSE(test_bit(44, plug.view().ready));
  // For taking memory out it is what is out already.
  const Snapshot unplug(REGION_UNPLUG);
  EXPECT_EQ(unplug.view().nr_held, 0U);
  EXPECT_EQ(unplug.view().nr_already, 25U);
}

TEST_F(Holds, ItsBlockDoesNotGo) {
  const u64 generation = memplug_region_generation();
  region_mapping& mapping = map({25, 1});
  EXPECT_EQ(leave({16, 16}), -EBUSY);
  EXPECT_EQ(memplug_region_generation(), generation) << "something has changed";
  EXPECT_EQ(leave({48, 16}), 0) << "another block";
  memplug_region_unmap(&mapping);
  region_owner& owner = enter(1);
  take_for(owner, {40, 1});
  EXPECT_EQ(leave({32, 16}), -EBUSY);
  give_back(owner);
  EXPECT_EQ(leave({16, 32}), 0);
}

TEST_F(Holds, ZeroedUntilItIsTakenAgain) {
  EXPECT_FALSE(memplug_region_is_zeroed(20));
  memplug_region_set_zeroed(20);
  EXPECT_TRUE(memplug_region_is_zeroed(20));
  EXPECT_FALSE(memplug_region_is_zeroed(21));
  ASSERT_TRUE(memplug_region_reserve({20, 1}, REGION_PLUG));
  memplug_region_commit({20, 1}, REGION_PLUG, REGION_ASKED);
  take({20, 1});
  EXPECT_FALSE(memplug_region_is_zeroed(20));
}

TEST_F(Holds, WhatTheKernelHasZeroedIsZeroedFromTheBeginning) {
  memplug_region_claims_are_zeroed = true;
  take({40, 2});
  memplug_region_claims_are_zeroed = false;
  EXPECT_TRUE(memplug_region_is_zeroed(40));
  EXPECT_TRUE(memplug_region_is_zeroed(41));
  EXPECT_FALSE(memplug_region_is_zeroed(42));
  ASSERT_TRUE(memplug_region_reserve({40, 2}, REGION_PLUG));
  memplug_region_commit({40, 2}, REGION_PLUG, REGION_ASKED);
  EXPECT_FALSE(memplug_region_is_zeroed(40));
}

TEST_F(Holds, NodesAreStillTold) {
  take({98, 4});
  const auto listed = list();
  EXPECT_EQ(listed.at(1), (Listed{98, 2, 0, 0}));
  EXPECT_EQ(listed.at(2), (Listed{100, 2, 0, 0}));
  map({99, 2});
  EXPECT_EQ(list().at(2), (Listed{99, 1, MEMPLUG_RANGE_MAPPED, 0}));
  EXPECT_EQ(list().at(3), (Listed{100, 1, MEMPLUG_RANGE_MAPPED, 0}));
}

// Maps are looked at by words of 64.
TEST_F(Holds, RangesEndAtTheEndOfAWordAsAnywhere) {
  take({40, 160});
  map({20, 44});
  map({64, 1});
  region_mapping& mapping = map({127, 2});
  map({191, 1});
  const u32 mapped = MEMPLUG_RANGE_MAPPED;
  EXPECT_EQ(list(), (std::vector<Listed>{{20, 45, mapped, 0},
                                         {65, 35, 0, 0},
                                         {100, 27, 0, 0},
                                         {127, 2, mapped, 0},
                                         {129, 62, 0, 0},
                                         {191, 1, mapped, 0},
                                         {192, 8, 0, 0}}));
  memplug_region_unmap(&mapping);
  map({128, 63});
  EXPECT_EQ(list().at(2), (Listed{100, 28, 0, 0}));
  EXPECT_EQ(list().at(3), (Listed{128, 64, mapped, 0}));
}

}  // namespace
}  // namespace memplug::test
