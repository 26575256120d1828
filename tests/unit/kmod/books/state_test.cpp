// SPDX-License-Identifier: MIT
// The module's books of what is managed, busy and unplugged, on a made-up machine.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <set>
#include <vector>

#include "machine.hpp"

extern "C" {
#include <linux/bitmap.h>
#include <linux/nodemask.h>
#include <linux/sched.h>
}

namespace {

constexpr unsigned long no_subblock = std::numeric_limits<unsigned long>::max();
constexpr subblock_run everything{0, std::numeric_limits<unsigned long>::max() / 2};

// One request's copy of the books, with maps of its own.
class View {
 public:
  explicit View(unsigned long nr) : maps_(3, std::vector<unsigned long>(nr / BITS_PER_LONG + 1)) {
    view_.nr = nr;
    view_.ready = maps_[0].data();
    view_.busy = maps_[1].data();
    view_.seams = maps_[2].data();
  }

  [[nodiscard]] std::vector<unsigned long> ready() const { return bits(0); }
  [[nodiscard]] std::vector<unsigned long> busy() const { return bits(1); }
  [[nodiscard]] std::vector<unsigned long> seams() const { return bits(2); }
  region_view* operator->() { return &view_; }
  region_view* get() { return &view_; }

 private:
  [[nodiscard]] std::vector<unsigned long> bits(std::size_t map) const {
    std::vector<unsigned long> set;
    for (unsigned long i = 0; i < maps_[map].size() * BITS_PER_LONG; i++) {
      if (test_bit(i, maps_[map].data())) {
        set.push_back(i);
      }
    }
    return set;
  }

  std::vector<std::vector<unsigned long>> maps_;
  region_view view_{};
};

std::vector<unsigned long> from_to(unsigned long first, unsigned long end) {
  std::vector<unsigned long> numbers;
  for (; first < end; first++) {
    numbers.push_back(first);
  }
  return numbers;
}

View snapshot(region_direction direction, subblock_run within = everything,
              int nid = NUMA_NO_NODE) {
  View view(memplug_region_nr());
  memplug_region_snapshot(direction, within, nid, view.get());
  return view;
}

// "struct" because a function has the same name.
struct region_sizes sizes() {
  struct region_sizes result {};
  memplug_region_sizes(&result);
  return result;
}

// In subblocks: first, how many, node.
using Range = std::array<unsigned long, 3>;

std::vector<Range> list(unsigned int capacity = 64) {
  std::vector<memplug_range> ranges(capacity);
  u64 generation = 0;
  const int count = memplug_region_list(ranges.data(), capacity, &generation);
  ranges.resize(std::min(std::size_t{capacity}, static_cast<std::size_t>(count)));
  EXPECT_EQ(generation, memplug_region_generation());
  std::vector<Range> result;
  for (const memplug_range& range : ranges) {
    EXPECT_EQ(range.flags, 0U);
    result.push_back({range.start / Machine::subblock_size, range.length / Machine::subblock_size,
                      static_cast<unsigned long>(range.node)});
  }
  return result;
}

void change(subblock_run run, region_direction direction, region_mover mover = REGION_ASKED) {
  ASSERT_TRUE(memplug_region_reserve(run, direction));
  memplug_region_commit(run, direction, mover);
}

void update(subblock_run run) {
  ASSERT_EQ(memplug_region_update(subblock_pfn(run.first), run.nr * subblock_pages()), 0);
}

void leave(subblock_run run) {
  ASSERT_EQ(memplug_region_leave(subblock_pfn(run.first), run.nr * subblock_pages()), 0);
}

void gone(subblock_run run) {
  memplug_region_gone(subblock_pfn(run.first), run.nr * subblock_pages());
}

// As the notifier does when the block does not go: tells what was not unplugged again.
std::vector<unsigned long> stay(subblock_run run) {
  std::vector<unsigned long> released;
  update(run);
  for (unsigned long i = memplug_region_next_leaving(0); i != no_subblock;
       i = memplug_region_next_leaving(i + 1)) {
    if (!memplug_region_stay(i, false)) {
      released.push_back(i);
    }
  }
  return released;
}

void offline(subblock_run run) {
  leave(run);
  gone(run);
}

region_aim aim() {
  region_aim result{};
  memplug_region_read_aim(&result);
  return result;
}

// 16 to 99 are of node 0, 100 to 199 of node 1; node 2 has no memory.
class Region : public ::testing::Test {
 protected:
  void SetUp() override {
    machine_.add({16, 84}, 0);
    machine_.add({100, 100}, 1);
    ASSERT_EQ(memplug_region_init(), 0);
  }

  Machine machine_{3};
  u64 generation_ = 0;
  unsigned long woken_ = 0;
};

TEST_F(Region, ManagesWhatTheMachineHas) {
  EXPECT_EQ(memplug_region_nr(), 256U) << "whole words";
  EXPECT_EQ(sizes().managed, 184U);
  EXPECT_EQ(sizes().unplugged, 0U);
  EXPECT_EQ(sizes().nr_nodes, 2U);
  EXPECT_EQ(memplug_region_node(15), NUMA_NO_NODE);
  EXPECT_EQ(memplug_region_node(16), 0);
  EXPECT_EQ(memplug_region_node(99), 0);
  EXPECT_EQ(memplug_region_node(100), 1);
  EXPECT_EQ(memplug_region_node(200), NUMA_NO_NODE);
  EXPECT_EQ(memplug_region_node(100000), NUMA_NO_NODE);
}

TEST_F(Region, LeavesOutWhatIsNotFitToBeManaged) {
  machine_.add({50, 2}, 0, MEMPLUG_BAD_FOREIGN);
  update({48, 8});
  EXPECT_EQ(sizes().managed, 182U);
  EXPECT_FALSE(memplug_region_reserve({50, 1}, REGION_UNPLUG));
  EXPECT_FALSE(memplug_region_reserve({45, 10}, REGION_UNPLUG));
  EXPECT_TRUE(memplug_region_reserve({45, 5}, REGION_UNPLUG));
}

TEST_F(Region, FindsTheFirstPartThatIsNotManaged) {
  machine_.remove({50, 3});
  update({50, 3});
  subblock_run bad{};
  EXPECT_FALSE(memplug_region_find_unmanaged({16, 34}, &bad));
  EXPECT_TRUE(memplug_region_is_managed({53, 147}));
  ASSERT_TRUE(memplug_region_find_unmanaged({16, 184}, &bad));
  EXPECT_EQ(bad.first, 50U);
  EXPECT_EQ(bad.nr, 3U);
  ASSERT_TRUE(memplug_region_find_unmanaged({51, 1}, &bad));
  EXPECT_EQ(bad.first, 51U);
  EXPECT_EQ(bad.nr, 1U);
  ASSERT_TRUE(memplug_region_find_unmanaged({190, 1000}, &bad));
  EXPECT_EQ(bad.first, 200U);
  EXPECT_EQ(bad.nr, 990U);
  ASSERT_TRUE(memplug_region_find_unmanaged({5000, 7}, &bad));
  EXPECT_EQ(bad.first, 5000U);
  EXPECT_EQ(bad.nr, 7U);
  EXPECT_FALSE(memplug_region_has_managed({50, 3}));
  EXPECT_TRUE(memplug_region_has_managed({50, 4}));
  EXPECT_FALSE(memplug_region_has_managed({5000, 7}));
}

TEST_F(Region, SnapshotTellsWhatIsReady) {
  View view = snapshot(REGION_UNPLUG);
  EXPECT_EQ(view.ready(), from_to(16, 200));
  EXPECT_EQ(view.busy(), from_to(0, 0));
  EXPECT_EQ(view.seams(), from_to(100, 101));
  EXPECT_EQ(view->nr_ready, 184U);
  EXPECT_EQ(snapshot(REGION_UNPLUG, everything, 0).ready(), from_to(16, 100));
  EXPECT_EQ(snapshot(REGION_UNPLUG, everything, 1).ready(), from_to(100, 200));
  EXPECT_EQ(snapshot(REGION_UNPLUG, {90, 20}, 1).ready(), from_to(100, 110));
  EXPECT_EQ(snapshot(REGION_UNPLUG, {10, 20}).ready(), from_to(16, 30));
  EXPECT_EQ(snapshot(REGION_UNPLUG, {300, 20}).ready(), from_to(0, 0));
  EXPECT_EQ(snapshot(REGION_PLUG).ready(), from_to(0, 0));
}

TEST_F(Region, SnapshotKeepsStatesApart) {
  change({20, 10}, REGION_UNPLUG);
  ASSERT_TRUE(memplug_region_reserve({40, 4}, REGION_UNPLUG));
  ASSERT_TRUE(memplug_region_reserve({28, 2}, REGION_PLUG));

  View to_unplug = snapshot(REGION_UNPLUG, {16, 34});
  EXPECT_EQ(to_unplug->nr_ready, 34U - 10U - 4U);
  EXPECT_EQ(to_unplug->nr_busy, 6U);
  EXPECT_EQ(to_unplug->nr_already, 8U);
  EXPECT_EQ(to_unplug.busy(), (std::vector<unsigned long>{28, 29, 40, 41, 42, 43}));

  View to_plug = snapshot(REGION_PLUG, {16, 34});
  EXPECT_EQ(to_plug.ready(), from_to(20, 28));
  EXPECT_EQ(to_plug->nr_busy, 6U);
  EXPECT_EQ(to_plug->nr_already, 34U - 10U - 4U);
}

TEST_F(Region, SnapshotFillsNoMoreThanItsMapsHold) {
  View view(40);
  memplug_region_snapshot(REGION_UNPLUG, everything, NUMA_NO_NODE, view.get());
  EXPECT_EQ(view.ready(), from_to(16, 40));
  EXPECT_EQ(view->nr_ready, 24U);
}

TEST_F(Region, SnapshotReplacesAnOlderOne) {
  View view = snapshot(REGION_UNPLUG);
  memplug_region_snapshot(REGION_UNPLUG, {20, 4}, NUMA_NO_NODE, view.get());
  EXPECT_EQ(view.ready(), from_to(20, 24));
  EXPECT_EQ(view->nr_ready, 4U);
}

TEST_F(Region, ReservesAllOrNothing) {
  ASSERT_TRUE(memplug_region_reserve({30, 10}, REGION_UNPLUG));
  EXPECT_FALSE(memplug_region_reserve({39, 2}, REGION_UNPLUG));
  EXPECT_FALSE(memplug_region_reserve({30, 1}, REGION_PLUG)) << "it is plugged";
  EXPECT_TRUE(memplug_region_reserve({40, 2}, REGION_UNPLUG))
      << "nothing of the refused run is busy";
  EXPECT_FALSE(memplug_region_reserve({190, 20}, REGION_UNPLUG)) << "not all of it is managed";
  memplug_region_commit({30, 10}, REGION_UNPLUG, REGION_ASKED);
  EXPECT_FALSE(memplug_region_reserve({30, 1}, REGION_UNPLUG)) << "it is unplugged";
  EXPECT_TRUE(memplug_region_reserve({30, 10}, REGION_PLUG));
}

TEST_F(Region, AbortLeavesEverythingAsItWas) {
  const u64 generation = memplug_region_generation();
  ASSERT_TRUE(memplug_region_reserve({30, 10}, REGION_UNPLUG));
  memplug_region_abort({30, 10});
  EXPECT_EQ(memplug_region_generation(), generation);
  EXPECT_EQ(sizes().unplugged, 0U);
  EXPECT_EQ(snapshot(REGION_UNPLUG).ready(), from_to(16, 200));
}

TEST_F(Region, CommitMayBeOfAPartOfWhatWasReserved) {
  ASSERT_TRUE(memplug_region_reserve({30, 10}, REGION_UNPLUG));
  memplug_region_commit({30, 4}, REGION_UNPLUG, REGION_ASKED);
  memplug_region_abort({34, 6});
  EXPECT_EQ(list(), (std::vector<Range>{{30, 4, 0}}));
  EXPECT_EQ(snapshot(REGION_UNPLUG).busy(), from_to(0, 0));
}

TEST_F(Region, CountsWhatIsUnpluggedByNode) {
  change({95, 5}, REGION_UNPLUG);
  change({100, 3}, REGION_UNPLUG);
  change({95, 1}, REGION_PLUG);
  std::array<memplug_node, 3> nodes{};
  u64 generation = 0;
  ASSERT_EQ(memplug_region_nodes(nodes.data(), 3, &generation), 2U);
  EXPECT_EQ(generation, memplug_region_generation());
  EXPECT_EQ(nodes[0].node, 0);
  EXPECT_EQ(nodes[0].managed_size, 84 * Machine::subblock_size);
  EXPECT_EQ(nodes[0].unplugged_size, 4 * Machine::subblock_size);
  EXPECT_EQ(nodes[1].node, 1);
  EXPECT_EQ(nodes[1].managed_size, 100 * Machine::subblock_size);
  EXPECT_EQ(nodes[1].unplugged_size, 3 * Machine::subblock_size);
  EXPECT_EQ(sizes().unplugged, 7U);
  nodes[1].managed_size = 0;
  EXPECT_EQ(memplug_region_nodes(nodes.data(), 1, &generation), 2U) << "tells how many there are";
  EXPECT_EQ(nodes[1].managed_size, 0U) << "writes no more than fit";
}

TEST_F(Region, ListMergesNeighboursOfOneNode) {
  change({90, 4}, REGION_UNPLUG);
  change({94, 6}, REGION_UNPLUG);
  EXPECT_EQ(list(), (std::vector<Range>{{90, 10, 0}}));
  change({100, 5}, REGION_UNPLUG);
  EXPECT_EQ(list(), (std::vector<Range>{{90, 10, 0}, {100, 5, 1}}));
  change({92, 1}, REGION_PLUG);
  EXPECT_EQ(list(), (std::vector<Range>{{90, 2, 0}, {93, 7, 0}, {100, 5, 1}}));
  EXPECT_EQ(list(1), (std::vector<Range>{{90, 2, 0}}));
  u64 generation = 0;
  EXPECT_EQ(memplug_region_list(nullptr, 0, &generation), 3);
}

TEST_F(Region, WithoutMemoryForACopyThereIsNoList) {
  change({90, 4}, REGION_UNPLUG);
  const std::size_t bytes = kernel_bytes();
  u64 generation = 0;
  for (int calls = 0; calls < 16; calls++) {
    limit_allocations(calls);
    EXPECT_EQ(memplug_region_list(nullptr, 0, &generation), -ENOMEM);
    limit_allocations(calls);
    EXPECT_EQ(memplug_region_list_quarantined(nullptr, 0, &generation), -ENOMEM);
  }
  limit_allocations(-1);
  EXPECT_EQ(memplug_region_list(nullptr, 0, &generation), 1);
  EXPECT_EQ(kernel_bytes(), bytes) << "what was allocated is freed again";
}

TEST_F(Region, TheBooksMayGrowWhileThereIsMadeRoomForTheirCopy) {
  static int calls;
  change({190, 10}, REGION_UNPLUG);
  machine_.add({200, 800}, 0);
  const std::size_t bytes = kernel_bytes();
  calls = 0;
  machine_meanwhile = [] {
    // The copy's own record comes first.
    if (++calls == 2) {
      machine_meanwhile = nullptr;
      update({200, 800});
      change({999, 1}, REGION_UNPLUG);
    }
  };
  EXPECT_EQ(list(), (std::vector<Range>{{190, 10, 1}, {999, 1, 0}}));
  EXPECT_EQ(machine_meanwhile, nullptr);
  EXPECT_EQ(kernel_bytes(), bytes * 4) << "1024 subblocks for 256";
}

TEST_F(Region, AnEmptyMachineHasAnEmptyList) {
  Machine::restart();
  u64 generation = 1;
  EXPECT_EQ(memplug_region_list(nullptr, 0, &generation), 0);
  EXPECT_EQ(generation, 0U);
}

TEST_F(Region, FindsTheNextUnpluggedSubblock) {
  EXPECT_EQ(memplug_region_next_unplugged(0), std::numeric_limits<unsigned long>::max());
  change({60, 2}, REGION_UNPLUG);
  EXPECT_EQ(memplug_region_next_unplugged(0), 60U);
  EXPECT_EQ(memplug_region_next_unplugged(61), 61U);
  EXPECT_EQ(memplug_region_next_unplugged(62), std::numeric_limits<unsigned long>::max());
  EXPECT_EQ(memplug_region_next_unplugged(100000), std::numeric_limits<unsigned long>::max());
}

TEST_F(Region, MemoryThatGoesIsNotManaged) {
  leave({32, 32});
  EXPECT_EQ(sizes().managed, 152U);
  EXPECT_FALSE(memplug_region_has_managed({32, 32}));
  EXPECT_EQ(memplug_region_next_leaving(0), no_subblock) << "nothing was unplugged";
  EXPECT_EQ(sizes().wanted, 0U);
  leave({5000, 32});
  EXPECT_EQ(sizes().managed, 152U) << "nothing is known of it";
}

TEST_F(Region, WhatWasUnpluggedLeavesAndIsWanted) {
  change({60, 2}, REGION_UNPLUG);
  leave({32, 32});
  EXPECT_EQ(sizes().managed, 152U);
  EXPECT_EQ(sizes().unplugged, 0U);
  EXPECT_EQ(sizes().wanted, 2U);
  EXPECT_EQ(list(), std::vector<Range>{});
  EXPECT_FALSE(memplug_region_is_unplugged(60));
  EXPECT_EQ(memplug_region_next_leaving(0), 60U);
  EXPECT_EQ(memplug_region_next_leaving(61), 61U);
  EXPECT_EQ(memplug_region_next_leaving(62), no_subblock);
  EXPECT_EQ(memplug_region_next_absent(0), 60U);
  EXPECT_EQ(aim().wanted_absent, 2U);
  EXPECT_EQ(sizes().wanted_other_zone, 0U) << "it is on its way, and in no zone yet";

  gone({32, 32});
  EXPECT_EQ(memplug_region_next_leaving(0), no_subblock);
  EXPECT_EQ(sizes().wanted, 2U) << "still, when it comes back";
}

TEST_F(Region, MemoryThatStaysIsUnpluggedAsBefore) {
  change({60, 2}, REGION_UNPLUG);
  leave({32, 32});
  EXPECT_EQ(stay({32, 32}), std::vector<unsigned long>{});
  EXPECT_EQ(sizes().managed, 184U);
  EXPECT_EQ(sizes().unplugged, 2U);
  EXPECT_EQ(sizes().wanted, 0U);
  EXPECT_EQ(list(), (std::vector<Range>{{60, 2, 0}}));
  EXPECT_EQ(memplug_region_next_leaving(0), no_subblock);
}

TEST_F(Region, WhatNobodyWantsAnyMoreIsPluggedWhenItStays) {
  change({60, 3}, REGION_UNPLUG);
  leave({32, 32});
  memplug_region_drop_wanted({61, 1}, NUMA_NO_NODE);
  EXPECT_EQ(stay({32, 32}), std::vector<unsigned long>{61});
  EXPECT_EQ(list(), (std::vector<Range>{{60, 1, 0}, {62, 1, 0}}));
  EXPECT_EQ(sizes().managed, 184U);
}

TEST_F(Region, APlugThatMeetsMemoryOnItsWayOutFindsIt) {
  change({60, 1}, REGION_UNPLUG);
  ASSERT_TRUE(memplug_region_reserve({60, 1}, REGION_PLUG));
  leave({32, 32});
  EXPECT_FALSE(memplug_region_is_unplugged(60));
  EXPECT_EQ(sizes().wanted, 0U) << "somebody is about to plug it";
  EXPECT_EQ(stay({32, 32}), std::vector<unsigned long>{});
  EXPECT_TRUE(memplug_region_is_unplugged(60)) << "the plug has it as it was";
  memplug_region_commit({60, 1}, REGION_PLUG, REGION_ASKED);
  EXPECT_EQ(sizes().unplugged, 0U);
}

TEST_F(Region, WantedMemoryThatComesBackIsPluggedAndWanted) {
  change({60, 2}, REGION_UNPLUG);
  offline({32, 32});
  update({32, 32});
  EXPECT_EQ(sizes().managed, 184U);
  EXPECT_EQ(sizes().unplugged, 0U);
  EXPECT_EQ(aim().wanted_here, 2U);
  EXPECT_EQ(aim().wanted_absent, 0U);
  EXPECT_EQ(aim().lasting, 182U);
  View view = snapshot(REGION_UNPLUG);
  memplug_region_keep_wanted(view->ready, view->nr);
  EXPECT_EQ(view.ready(), from_to(60, 62));
  change({60, 2}, REGION_UNPLUG, REGION_OWN);
  EXPECT_EQ(sizes().wanted, 0U);
  EXPECT_EQ(aim().lasting, 182U);
}

TEST_F(Region, MemoryThatGoesWithoutALeaveIsNotManagedAnyMore) {
  // The module was loaded in the middle: only the end is seen.
  change({120, 1}, REGION_UNPLUG);
  ASSERT_EQ(memplug_region_set_target(150), 0);
  ASSERT_TRUE(memplug_region_reserve({40, 1}, REGION_UNPLUG));
  const u64 generation = memplug_region_generation();
  gone({32, 32});
  machine_.remove({32, 32});
  EXPECT_EQ(sizes().managed, 152U);
  EXPECT_EQ(aim().target, 118U) << "it moves with what is plugged";
  EXPECT_EQ(sizes().unplugged, 1U);
  EXPECT_EQ(memplug_region_generation(), generation + 1);
  EXPECT_EQ(memplug_region_node(40), NUMA_NO_NODE);
  EXPECT_FALSE(memplug_region_is_managed({40, 1})) << "its request will see that";
  memplug_region_abort({40, 1});
  EXPECT_FALSE(memplug_region_reserve({63, 1}, REGION_UNPLUG));
  EXPECT_EQ(snapshot(REGION_UNPLUG, {16, 60}).ready().size(), 28U);
  gone({32, 32});
  EXPECT_EQ(memplug_region_generation(), generation + 1) << "it was gone";
}

// In the middle of the last event what is about to be unplugged again looks plugged and wanted.
TEST_F(Region, WhatWasWantedForAMomentIsNotReservedAsWanted) {
  change({50, 2}, REGION_UNPLUG);
  leave({48, 8});
  update({48, 8});
  const auto ready = snapshot(REGION_UNPLUG, {48, 8}).ready();
  ASSERT_EQ(std::count(ready.begin(), ready.end(), 50U), 1) << "who looks now is to find it";
  EXPECT_TRUE(memplug_region_reserve_wanted({50, 1}));
  memplug_region_abort({50, 1});
  stay({48, 8});
  change({50, 2}, REGION_PLUG);
  EXPECT_FALSE(memplug_region_reserve_wanted({50, 1})) << "nobody wants it any more";
  EXPECT_TRUE(memplug_region_reserve({50, 1}, REGION_UNPLUG)) << "but whoever asks can have it";
}

TEST_F(Region, WhatIsToBeKeptStaysUnpluggedWhateverIsWanted) {
  change({60, 4}, REGION_UNPLUG);
  leave({32, 32});
  memplug_region_drop_wanted({60, 3}, NUMA_NO_NODE);
  update({32, 32});
  EXPECT_TRUE(memplug_region_stay(60, true));
  EXPECT_FALSE(memplug_region_stay(61, false));
  EXPECT_TRUE(memplug_region_stay(62, true));
  EXPECT_TRUE(memplug_region_stay(63, true));
  EXPECT_EQ(list(), (std::vector<Range>{{60, 1, 0}, {62, 2, 0}}));
  EXPECT_EQ(sizes().wanted, 0U);
  EXPECT_EQ(memplug_region_next_leaving(0), no_subblock);
}

TEST_F(Region, WantedMemoryInAnotherZoneIsTold) {
  change({60, 2}, REGION_UNPLUG);
  offline({32, 32});
  machine_.add({32, 32}, 0, MEMPLUG_BAD_OFFLINE);
  update({32, 32});
  EXPECT_EQ(sizes().wanted_other_zone, 0U);
  machine_.add({32, 32}, 0, MEMPLUG_BAD_ZONE);
  update({32, 32});
  EXPECT_EQ(sizes().managed, 152U);
  EXPECT_EQ(sizes().wanted, 2U);
  EXPECT_EQ(sizes().wanted_other_zone, 2U);
}

TEST_F(Region, WantedMemoryOnItsWayOutAgainIsNotInAnotherZone) {
  change({60, 2}, REGION_UNPLUG);
  offline({32, 32});
  update({32, 32});
  leave({32, 32});
  EXPECT_EQ(sizes().wanted, 2U);
  EXPECT_EQ(sizes().wanted_other_zone, 0U);
}

TEST_F(Region, WhatIsInAnotherZoneIsCountedWithoutItsPages) {
  change({60, 4}, REGION_UNPLUG);
  offline({32, 32});
  machine_.add({32, 32}, 0, MEMPLUG_BAD_ZONE);
  update({32, 32});
  // Nobody has said so yet: its pages are not looked at.
  machine_.remove({32, 32});
  EXPECT_EQ(sizes().wanted_other_zone, 4U);
  memplug_region_drop_wanted({60, 1}, NUMA_NO_NODE);
  EXPECT_EQ(sizes().wanted_other_zone, 3U);
  leave({32, 32});
  EXPECT_EQ(sizes().wanted_other_zone, 3U) << "it is there as long as it has not gone";
  gone({32, 32});
  EXPECT_EQ(sizes().wanted, 3U);
  EXPECT_EQ(sizes().wanted_other_zone, 0U);
  machine_.add({32, 32}, 0);
  update({32, 32});
  EXPECT_EQ(sizes().wanted_other_zone, 0U);
  EXPECT_EQ(aim().wanted_here, 3U);
}

TEST_F(Region, WantsAreDroppedWhereTheyAreToBe) {
  change({60, 4}, REGION_UNPLUG);
  change({110, 4}, REGION_UNPLUG);
  offline({32, 32});
  offline({96, 32});
  update({96, 32});
  memplug_region_drop_wanted({62, 100}, 1);
  EXPECT_EQ(sizes().wanted, 4U) << "of node 1, what is there";
  memplug_region_drop_wanted({61, 1}, NUMA_NO_NODE);
  EXPECT_EQ(memplug_region_next_absent(61), 62U);
  memplug_region_drop_wanted(everything, NUMA_NO_NODE);
  EXPECT_EQ(sizes().wanted, 0U);
  EXPECT_EQ(memplug_region_next_absent(0), no_subblock);
}

// More than is dropped under one hold of the lock.
TEST_F(Region, WantsAreDroppedInSteps) {
  constexpr unsigned long nr = 3UL * 4096;
  machine_.add({200, nr}, 2);
  update({200, nr});
  ASSERT_EQ(memplug_region_set_target(150), 0);
  change({200, nr}, REGION_UNPLUG, REGION_OWN);
  offline({200, nr});
  EXPECT_EQ(memplug_region_next_absent(0), 200U);
  EXPECT_EQ(memplug_region_next_absent(4100), 4100U);
  update({200, nr});
  EXPECT_EQ(memplug_region_next_absent(0), no_subblock);
  EXPECT_EQ(aim().wanted_here, nr);
  EXPECT_EQ(aim().target, 150U) << "nothing that is plugged has gone or come";
  memplug_region_drop_wanted_here(5000);
  EXPECT_EQ(aim().wanted_here, nr - 5000);
  EXPECT_EQ(aim().target, 150U) << "it is for its sake";
  View view = snapshot(REGION_UNPLUG);
  memplug_region_keep_wanted(view->ready, view->nr);
  EXPECT_EQ(view.ready(), from_to(5200, 200 + nr)) << "the lowest are dropped";
  const u64 generation = memplug_region_generation();
  memplug_region_drop_wanted({5200, 6000}, 1);
  EXPECT_EQ(memplug_region_generation(), generation) << "there is none on this node";
  memplug_region_drop_wanted({6200, 5000}, 2);
  EXPECT_EQ(aim().wanted_here, nr - 10000);
  EXPECT_EQ(aim().target, 5150U) << "it moves along";
  EXPECT_GT(memplug_region_generation(), generation);
  memplug_region_drop_wanted(everything, NUMA_NO_NODE);
  EXPECT_EQ(aim().wanted_here, 0U);
  EXPECT_EQ(aim().target, 150 + nr - 5000);
  memplug_region_drop_wanted_here(1);
}

// What is managed and lasts, and the target, in one line.
using Aims = std::array<unsigned long, 2>;

Aims aims() { return {aim().lasting, aim().target}; }

TEST_F(Region, ATargetIsWithinWhatIsManaged) {
  EXPECT_EQ(aim().target, REGION_NO_TARGET);
  EXPECT_EQ(sizes().target_state, static_cast<u32>(MEMPLUG_TARGET_NONE));
  EXPECT_EQ(memplug_region_set_target(185), -ERANGE);
  EXPECT_EQ(aim().target, REGION_NO_TARGET);
  EXPECT_EQ(memplug_region_set_target(184), 0);
  EXPECT_EQ(sizes().target, 184U);
  EXPECT_EQ(sizes().target_state, static_cast<u32>(MEMPLUG_TARGET_WORKING));
  EXPECT_EQ(memplug_region_set_target(REGION_NO_TARGET), 0);
  EXPECT_EQ(sizes().target, REGION_NO_TARGET);
  EXPECT_EQ(sizes().target_state, static_cast<u32>(MEMPLUG_TARGET_NONE));
}

TEST_F(Region, AStateIsTakenOnlyForTheAimThatItIsAbout) {
  ASSERT_EQ(memplug_region_set_target(100), 0);
  const u64 generation = aim().generation;
  change({60, 1}, REGION_UNPLUG);
  memplug_region_set_target_state(MEMPLUG_TARGET_REACHED, generation);
  EXPECT_EQ(sizes().target_state, static_cast<u32>(MEMPLUG_TARGET_WORKING));
  memplug_region_set_target_state(MEMPLUG_TARGET_REACHED, aim().generation);
  EXPECT_EQ(sizes().target_state, static_cast<u32>(MEMPLUG_TARGET_REACHED));
  EXPECT_GT(memplug_region_generation(), generation + 1) << "who polls is told";
  ASSERT_EQ(memplug_region_set_target(REGION_NO_TARGET), 0);
  memplug_region_set_target_state(MEMPLUG_TARGET_FLOOR, aim().generation);
  EXPECT_EQ(sizes().target_state, static_cast<u32>(MEMPLUG_TARGET_NONE));
}

TEST_F(Region, RequestsMoveTheTargetAndTheWorkerDoesNot) {
  ASSERT_EQ(memplug_region_set_target(150), 0);
  change({60, 4}, REGION_UNPLUG);
  EXPECT_EQ(aims(), (Aims{180, 146}));
  change({60, 1}, REGION_PLUG);
  EXPECT_EQ(aims(), (Aims{181, 147}));
  change({70, 5}, REGION_UNPLUG, REGION_OWN);
  EXPECT_EQ(aims(), (Aims{176, 147}));
  change({70, 2}, REGION_PLUG, REGION_OWN);
  EXPECT_EQ(aims(), (Aims{178, 147}));
}

TEST_F(Region, TheTargetDoesNotSinkBelowNothing) {
  ASSERT_EQ(memplug_region_set_target(2), 0);
  change({60, 4}, REGION_UNPLUG);
  EXPECT_EQ(aims(), (Aims{180, 0}));
}

TEST_F(Region, MemoryThatComesAndGoesMovesTheTargetByWhatIsPlugged) {
  ASSERT_EQ(memplug_region_set_target(150), 0);
  change({60, 4}, REGION_UNPLUG, REGION_OWN);
  offline({32, 32});
  EXPECT_EQ(aims(), (Aims{152, 122}));
  update({32, 32});
  EXPECT_EQ(aims(), (Aims{180, 150})) << "what is wanted there does not count";
  leave({32, 32});
  static_cast<void>(stay({32, 32}));
  EXPECT_EQ(aims(), (Aims{180, 150})) << "nothing came or went";
  machine_.add({200, 56}, 1);
  update({200, 56});
  EXPECT_EQ(aims(), (Aims{236, 206}));
}

TEST_F(Region, APlugOnItsWayMovesTheTargetOnlyWhenItIsDone) {
  ASSERT_EQ(memplug_region_set_target(150), 0);
  change({60, 1}, REGION_UNPLUG, REGION_OWN);
  ASSERT_TRUE(memplug_region_reserve({60, 1}, REGION_PLUG));
  leave({32, 32});
  static_cast<void>(stay({32, 32}));
  EXPECT_EQ(aims(), (Aims{183, 150}));
  memplug_region_commit({60, 1}, REGION_PLUG, REGION_ASKED);
  EXPECT_EQ(aims(), (Aims{184, 151}));
}

TEST_F(Region, WantsGiveWayToATargetThatWantsMore) {
  change({60, 4}, REGION_UNPLUG);
  offline({32, 32});
  update({32, 32});
  ASSERT_EQ(memplug_region_set_target(184), 0);
  EXPECT_EQ(aims(), (Aims{180, 184}));
  memplug_region_drop_wanted_here(3);
  EXPECT_EQ(aims(), (Aims{183, 184}));
  EXPECT_EQ(sizes().wanted, 1U);
}

TEST_F(Region, WhatWasAboutToBePluggedIsNotWantedWhenItGoes) {
  change({32, 32}, REGION_UNPLUG);
  ASSERT_EQ(memplug_region_set_target(180), 0);
  offline({32, 32});
  EXPECT_EQ(aims(), (Aims{152, 152})) << "more is not there";
  EXPECT_EQ(sizes().wanted, 4U);
  update({32, 32});
  EXPECT_EQ(aims(), (Aims{180, 180}));
}

TEST_F(Region, DroppingAWantThatIsHereMovesTheTarget) {
  change({60, 4}, REGION_UNPLUG);
  offline({32, 32});
  update({32, 32});
  ASSERT_EQ(memplug_region_set_target(170), 0);
  memplug_region_drop_wanted({60, 1}, NUMA_NO_NODE);
  EXPECT_EQ(aims(), (Aims{181, 171}));
}

TEST_F(Region, MemoryThatIsUnpluggedStaysManagedWhateverItLooksLike) {
  change({60, 1}, REGION_UNPLUG);
  machine_.add({58, 4}, 0, MEMPLUG_BAD_MIXED);
  update({58, 4});
  EXPECT_EQ(sizes().managed, 181U);
  EXPECT_TRUE(memplug_region_is_managed({60, 1}));
}

TEST_F(Region, MemoryThatCameBackIsManagedAgain) {
  offline({96, 8});
  EXPECT_EQ(snapshot(REGION_UNPLUG).seams(), from_to(0, 0)) << "no two neighbours differ";
  update({96, 8});
  EXPECT_EQ(sizes().managed, 184U);
  EXPECT_EQ(snapshot(REGION_UNPLUG).seams(), from_to(100, 101));
}

TEST_F(Region, MemoryMayComeBackOnAnotherNode) {
  offline({96, 4});
  machine_.add({96, 4}, 1);
  update({96, 4});
  EXPECT_EQ(snapshot(REGION_UNPLUG).seams(), from_to(96, 97));
  EXPECT_EQ(snapshot(REGION_UNPLUG, everything, 0).ready(), from_to(16, 96));
}

// Going offline overwrites struct pages: whoever asks the books may not have them read.
TEST_F(Region, KnowsTheNodeOfWhatIsManagedWithoutItsPages) {
  change({90, 10}, REGION_UNPLUG);
  machine_.add({96, 8}, 2, MEMPLUG_BAD_OFFLINE);
  EXPECT_EQ(memplug_region_node(96), 0);
  EXPECT_EQ(memplug_region_node(103), 1);
  EXPECT_EQ(list(), (std::vector<Range>{{90, 10, 0}}));
  EXPECT_EQ(snapshot(REGION_UNPLUG, everything, 1).ready(), from_to(100, 200));
  offline({96, 8});
  std::array<memplug_node, 3> nodes{};
  u64 generation = 0;
  ASSERT_EQ(memplug_region_nodes(nodes.data(), 3, &generation), 2U);
  EXPECT_EQ(nodes[0].managed_size, 80 * Machine::subblock_size);
  EXPECT_EQ(nodes[0].unplugged_size, 6 * Machine::subblock_size);
  EXPECT_EQ(nodes[1].managed_size, 96 * Machine::subblock_size);
}

TEST_F(Region, GrowsAndKeepsWhatItKnows) {
  change({190, 10}, REGION_UNPLUG);
  ASSERT_TRUE(memplug_region_reserve({100, 1}, REGION_UNPLUG));
  machine_.add({200, 800}, 0);
  update({200, 800});
  EXPECT_EQ(memplug_region_nr(), 1024U);
  EXPECT_EQ(sizes().managed, 984U);
  EXPECT_EQ(snapshot(REGION_UNPLUG).busy(), from_to(100, 101));
  EXPECT_EQ(snapshot(REGION_UNPLUG).seams(), (std::vector<unsigned long>{100, 200}));
  change({200, 1}, REGION_UNPLUG);
  EXPECT_EQ(list(), (std::vector<Range>{{190, 10, 1}, {200, 1, 0}}));
  EXPECT_EQ(memplug_region_node(199), 1);
}

TEST_F(Region, KeepsFourteenBitsAndThreeBytesOfASubblock) {
  EXPECT_EQ(kernel_bytes(), 38U * 256 / 8);
  machine_.add({200, 824}, 1);
  update({200, 824});
  EXPECT_EQ(kernel_bytes(), 38U * 1024 / 8) << "the old maps are freed";
}

TEST_F(Region, WithoutMemoryToGrowNothingChanges) {
  const u64 generation = memplug_region_generation();
  const std::size_t bytes = kernel_bytes();
  machine_.add({200, 800}, 1);
  for (int calls = 0; calls < 16; calls++) {
    limit_allocations(calls);
    EXPECT_EQ(memplug_region_update(subblock_pfn(200), 800 * subblock_pages()), -ENOMEM);
  }
  limit_allocations(-1);
  EXPECT_EQ(memplug_region_nr(), 256U);
  EXPECT_EQ(memplug_region_generation(), generation);
  EXPECT_EQ(kernel_bytes(), bytes) << "what was allocated is freed again";
  EXPECT_EQ(snapshot(REGION_UNPLUG).ready(), from_to(16, 200));
}

// The unplugged subblocks, as one who has read nothing but events knows them.
std::set<unsigned long> replay(const std::vector<memplug_event>& events) {
  std::set<unsigned long> unplugged;
  for (const memplug_event& event : events) {
    const unsigned long first = event.start / Machine::subblock_size;
    const unsigned long end = first + event.length / Machine::subblock_size;
    for (unsigned long i = first; i < end; ++i) {
      if (event.type == MEMPLUG_EVENT_UNPLUGGED) {
        EXPECT_TRUE(unplugged.insert(i).second) << i;
      } else if (event.type == MEMPLUG_EVENT_PLUGGED) {
        EXPECT_EQ(unplugged.erase(i), 1U) << i;
      } else if (event.type == MEMPLUG_EVENT_WENT) {
        unplugged.erase(i);
      }
    }
    if (event.type == MEMPLUG_EVENT_UNPLUGGED || event.type == MEMPLUG_EVENT_PLUGGED) {
      EXPECT_EQ(event.value, unplugged.size() * Machine::subblock_size);
    }
  }
  return unplugged;
}

std::set<unsigned long> unplugged_now() {
  std::set<unsigned long> unplugged;
  for (const auto& [first, nr, node] : list()) {
    for (unsigned long i = first; i < first + nr; ++i) {
      unplugged.insert(i);
    }
  }
  return unplugged;
}

memplug_event last_event() { return machine_events().back(); }

TEST_F(Region, EventsTellAllThatIsUnplugged) {
  change({20, 10}, REGION_UNPLUG);
  change({110, 4}, REGION_UNPLUG, REGION_OWN);
  change({22, 3}, REGION_PLUG);
  leave({100, 20});
  EXPECT_EQ(replay(machine_events()), unplugged_now());
  EXPECT_TRUE(stay({100, 20}).empty());
  EXPECT_EQ(replay(machine_events()), unplugged_now());
  offline({16, 8});
  EXPECT_EQ(replay(machine_events()), unplugged_now());
  change({110, 2}, REGION_PLUG, REGION_NEED);
  const auto unplugged = replay(machine_events());
  EXPECT_EQ(unplugged, unplugged_now());
  EXPECT_EQ(unplugged.size(), 7U);
}

TEST_F(Region, AnEventSaysWhereWhyAndHowMuch) {
  const auto subblocks = [](std::uint64_t nr) { return nr * Machine::subblock_size; };
  change({110, 4}, REGION_UNPLUG);
  EXPECT_EQ(last_event().type, std::uint32_t{MEMPLUG_EVENT_UNPLUGGED});
  EXPECT_EQ(last_event().cause, std::uint32_t{MEMPLUG_CAUSE_REQUEST});
  EXPECT_EQ(last_event().node, 1);
  EXPECT_EQ(last_event().start, subblocks(110));
  EXPECT_EQ(last_event().length, subblocks(4));
  EXPECT_EQ(last_event().generation, memplug_region_generation());
  change({110, 1}, REGION_PLUG, REGION_NEED);
  EXPECT_EQ(last_event().type, std::uint32_t{MEMPLUG_EVENT_PLUGGED});
  EXPECT_EQ(last_event().cause, std::uint32_t{MEMPLUG_CAUSE_NEED});
  EXPECT_EQ(last_event().value, subblocks(3));
  change({110, 1}, REGION_UNPLUG, REGION_OWN);
  EXPECT_EQ(last_event().cause, std::uint32_t{MEMPLUG_CAUSE_TARGET});

  leave({100, 20});
  EXPECT_EQ(last_event().type, std::uint32_t{MEMPLUG_EVENT_WENT});
  EXPECT_EQ(last_event().start, subblocks(100));
  EXPECT_EQ(last_event().length, subblocks(20));
  EXPECT_EQ(last_event().node, NUMA_NO_NODE);
  EXPECT_EQ(last_event().value, subblocks(sizes().managed));
  EXPECT_TRUE(stay({100, 20}).empty());
  EXPECT_EQ(last_event().type, std::uint32_t{MEMPLUG_EVENT_UNPLUGGED});
  EXPECT_EQ(last_event().cause, std::uint32_t{MEMPLUG_CAUSE_HOTPLUG});

  ASSERT_EQ(memplug_region_set_target(50), 0);
  EXPECT_EQ(last_event().type, std::uint32_t{MEMPLUG_EVENT_TARGET});
  EXPECT_EQ(last_event().value, subblocks(50));
  memplug_region_set_target_state(MEMPLUG_TARGET_FLOOR, memplug_region_generation());
  EXPECT_EQ(last_event().type, std::uint32_t{MEMPLUG_EVENT_TARGET_STATE});
  EXPECT_EQ(last_event().value, std::uint64_t{MEMPLUG_TARGET_FLOOR});
  ASSERT_EQ(memplug_region_set_target(REGION_NO_TARGET), 0);
  EXPECT_EQ(last_event().value, MEMPLUG_NO_TARGET);
  offline({100, 20});
  memplug_region_drop_wanted(everything, NUMA_NO_NODE);
  EXPECT_EQ(last_event().type, std::uint32_t{MEMPLUG_EVENT_WANTED});
  EXPECT_EQ(last_event().value, 0U);
}

TEST_F(Region, EveryChangeIsANewGenerationAndWakesWhoWaits) {
  const auto expect_new = [this](const char* what) {
    EXPECT_GT(memplug_region_generation(), generation_) << what;
    EXPECT_GT(memplug_region_wait_queue()->woken, woken_) << what;
    EXPECT_EQ(sizes().generation, memplug_region_generation());
    generation_ = memplug_region_generation();
    woken_ = memplug_region_wait_queue()->woken;
  };
  expect_new("init");
  change({30, 2}, REGION_UNPLUG);
  expect_new("unplug");
  change({30, 2}, REGION_PLUG);
  expect_new("plug");
  offline({30, 2});
  expect_new("offline");
  update({30, 2});
  expect_new("online");
  update({30, 2});
  EXPECT_EQ(memplug_region_generation(), generation_) << "nothing has changed";
}

// Subblocks 16 to 31 lie below ZONE_NORMAL, of the same node as what follows them.
class LowZones : public ::testing::Test {
 protected:
  void SetUp() override {
    memplug_ram_zones = 1U << ZONE_NORMAL | 1U << ZONE_DMA32;
    machine_.add({16, 16}, 0, MEMPLUG_BAD_NONE, ZONE_DMA32);
    machine_.add({32, 32}, 0);
    ASSERT_EQ(memplug_region_init(), 0);
  }
  void TearDown() override { memplug_ram_zones = 1U << ZONE_NORMAL; }

  Machine machine_{1};
};

TEST_F(LowZones, AreManagedAndToldApart) {
  EXPECT_EQ(sizes().managed, 48U);
  EXPECT_EQ(sizes().low_managed, 16U);
  EXPECT_EQ(sizes().low_unplugged, 0U);
  EXPECT_EQ(memplug_region_place(31), place_of(0, ZONE_DMA32));
  EXPECT_EQ(memplug_region_place(32), place_of(0, ZONE_NORMAL));
  EXPECT_EQ(memplug_region_node(31), 0);
  EXPECT_EQ(memplug_region_place(15), NO_PLACE);
}

TEST_F(LowZones, CountWhatIsUnplugged) {
  const subblock_run low{20, 4};
  const subblock_run normal{40, 2};
  for (const subblock_run run : {low, normal}) {
    ASSERT_TRUE(memplug_region_reserve(run, REGION_UNPLUG));
    memplug_region_commit(run, REGION_UNPLUG, REGION_ASKED);
  }
  EXPECT_EQ(sizes().unplugged, 6U);
  EXPECT_EQ(sizes().low_unplugged, 4U);
  EXPECT_EQ(memplug_region_leave(subblock_pfn(16), 16 * subblock_pages()), 0);
  EXPECT_EQ(sizes().low_managed, 0U);
  EXPECT_EQ(sizes().low_unplugged, 0U);
  EXPECT_EQ(sizes().unplugged, 2U);
}

TEST_F(LowZones, AreSplitOff) {
  std::array<unsigned long, 1> map{~0UL};
  std::array<unsigned long, 1> low{};
  memplug_region_split_low(map.data(), low.data(), 64);
  EXPECT_EQ(low[0], 0xffff0000UL);
  EXPECT_EQ(map[0], ~0xffff0000UL) << "what nobody manages is left alone";
  memplug_region_split_low(map.data(), low.data(), 64);
  EXPECT_EQ(low[0], 0UL) << "there is none any more";
  EXPECT_EQ(map[0], ~0xffff0000UL);
}

TEST_F(LowZones, AreSaidToBe) {
  const subblock_run across{30, 4};
  ASSERT_TRUE(memplug_region_reserve(across, REGION_UNPLUG));
  memplug_region_commit(across, REGION_UNPLUG, REGION_ASKED);
  std::array<memplug_range, 4> ranges{};
  u64 generation = 0;
  ASSERT_EQ(memplug_region_list(ranges.data(), ranges.size(), &generation), 2);
  EXPECT_EQ(ranges[0].start, 30 * Machine::subblock_size);
  EXPECT_EQ(ranges[0].length, 2 * Machine::subblock_size);
  EXPECT_EQ(ranges[0].flags, MEMPLUG_RANGE_LOW);
  EXPECT_EQ(ranges[1].flags, 0U);

  int nid = NUMA_NO_NODE;
  u32 flags = 0;
  EXPECT_EQ(memplug_region_state(29, &nid, &flags), unsigned{MEMPLUG_SUBBLOCK_PLUGGED});
  EXPECT_EQ(flags, MEMPLUG_SUBBLOCK_LOW);
  EXPECT_EQ(memplug_region_state(33, &nid, &flags), unsigned{MEMPLUG_SUBBLOCK_UNPLUGGED});
  EXPECT_EQ(flags, 0U);
  EXPECT_EQ(memplug_region_state(15, &nid, &flags), unsigned{MEMPLUG_SUBBLOCK_UNMANAGED});
  EXPECT_EQ(flags, 0U) << "what is not managed is of no zone";
}

TEST_F(LowZones, WhatHasGoneIsOfNoZone) {
  memplug_region_quarantine({20, 1}, true);
  ASSERT_EQ(memplug_region_leave(subblock_pfn(16), 16 * subblock_pages()), 0);
  memplug_region_gone(subblock_pfn(16), 16 * subblock_pages());
  std::array<memplug_range, 4> ranges{};
  u64 generation = 0;
  ASSERT_EQ(memplug_region_list_quarantined(ranges.data(), ranges.size(), &generation), 1);
  EXPECT_EQ(ranges[0].flags, MEMPLUG_RANGE_QUARANTINED | MEMPLUG_RANGE_WANTED);
  EXPECT_EQ(ranges[0].node, NUMA_NO_NODE);
}

TEST_F(LowZones, MemoryMayComeBackInAnother) {
  ASSERT_EQ(memplug_region_leave(subblock_pfn(24), 8 * subblock_pages()), 0);
  memplug_region_gone(subblock_pfn(24), 8 * subblock_pages());
  machine_.add({24, 8}, 0);
  ASSERT_EQ(memplug_region_update(subblock_pfn(24), 8 * subblock_pages()), 0);
  EXPECT_EQ(sizes().managed, 48U);
  EXPECT_EQ(sizes().low_managed, 8U);
  EXPECT_EQ(memplug_region_place(24), place_of(0, ZONE_NORMAL));
}

TEST_F(LowZones, ARunDoesNotCrossTheirBorder) {
  std::array<unsigned long, 1> ready{};
  std::array<unsigned long, 1> busy{};
  std::array<unsigned long, 1> seams{};
  region_view view{};
  view.ready = ready.data();
  view.busy = busy.data();
  view.seams = seams.data();
  view.nr = 64;
  memplug_region_snapshot(REGION_UNPLUG, {0, 64}, NUMA_NO_NODE, &view);
  EXPECT_EQ(view.nr_ready, 48U);
  EXPECT_TRUE(test_bit(32, seams.data()));
  EXPECT_FALSE(test_bit(31, seams.data()));
}

}  // namespace
