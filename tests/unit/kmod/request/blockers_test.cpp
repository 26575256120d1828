// SPDX-License-Identifier: MIT
// What a request could not have: merged by reason and node, in order, and bounded.
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <tuple>
#include <vector>

extern "C" {
#include "request/blockers.h"
#include "subblock.h"

unsigned int memplug_subblock_order = 10;
}

namespace {

// In subblocks: first, how many, reason, node, page frame.
using Record = std::tuple<std::uint64_t, std::uint64_t, std::uint32_t, int, std::uint64_t>;

class Blockers : public testing::Test {
 protected:
  void add(unsigned long index, std::uint32_t reason = MEMPLUG_REASON_UNMOVABLE, int node = 0) {
    memplug_blockers_add(blockers_.get(), index, reason, subblock_pfn(index) + 7, node);
  }

  [[nodiscard]] std::vector<Record> records() const {
    std::vector<Record> found;
    for (unsigned int i = 0; i < blockers_->nr; i++) {
      const memplug_blocked& record = blockers_->records[i];
      found.emplace_back(record.start / subblock_bytes(), record.length / subblock_bytes(),
                         record.reason, record.node, record.pfn);
    }
    return found;
  }

  static Record record(unsigned long first, std::uint64_t nr,
                       std::uint32_t reason = MEMPLUG_REASON_UNMOVABLE, int node = 0) {
    return {first, nr, reason, node, subblock_pfn(first) + 7};
  }

  std::unique_ptr<blockers> blockers_ = std::make_unique<blockers>();
};

TEST_F(Blockers, NeighboursAreOneRecordInWhateverOrderTheyCome) {
  for (const unsigned long index : {12UL, 10UL, 11UL, 14UL}) {
    add(index);
  }
  EXPECT_EQ(records(), (std::vector{record(10, 3), record(14, 1)}));
  add(13);
  EXPECT_EQ(records(), (std::vector{record(10, 5)}));
}

TEST_F(Blockers, ThePageFrameIsOfTheLowest) {
  add(11);
  add(10);
  EXPECT_EQ(records(), (std::vector{record(10, 2)}));
}

TEST_F(Blockers, OtherReasonsAndNodesAreRecordsOfTheirOwn) {
  add(10);
  add(11, MEMPLUG_REASON_PINNED);
  add(12, MEMPLUG_REASON_PINNED, 1);
  EXPECT_EQ(records(), (std::vector{record(10, 1), record(11, 1, MEMPLUG_REASON_PINNED),
                                    record(12, 1, MEMPLUG_REASON_PINNED, 1)}));
}

TEST_F(Blockers, WhatIsThereAlreadyStaysAsItIs) {
  add(10);
  add(11);
  add(10, MEMPLUG_REASON_PINNED);
  add(11, MEMPLUG_REASON_PINNED);
  EXPECT_EQ(records(), (std::vector{record(10, 2)}));
  EXPECT_FALSE(blockers_->overflow);
}

TEST_F(Blockers, MoreThanThereIsRoomForIsTold) {
  for (unsigned long i = 0; i < MEMPLUG_MAX_BLOCKED; i++) {
    add(2 * i);
  }
  EXPECT_EQ(blockers_->nr, MEMPLUG_MAX_BLOCKED);
  EXPECT_FALSE(blockers_->overflow);
  add(2UL * MEMPLUG_MAX_BLOCKED);
  EXPECT_EQ(blockers_->nr, MEMPLUG_MAX_BLOCKED);
  EXPECT_TRUE(blockers_->overflow);
  // What joins needs no room.
  add(1);
  EXPECT_EQ(blockers_->nr, MEMPLUG_MAX_BLOCKED - 1);
  EXPECT_EQ(records().front(), record(0, 3));
}

}  // namespace
