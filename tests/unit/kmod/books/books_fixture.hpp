// SPDX-License-Identifier: MIT
// The module's books on a made-up machine, with descriptors, requests and mappings that have parts
// of it, for the tests of who has what.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <deque>
#include <limits>
#include <vector>

#include "machine.hpp"

extern "C" {
#include <linux/bitmap.h>
#include <linux/nodemask.h>
#include <linux/sched.h>
}

namespace memplug::test {

inline constexpr unsigned long none = std::numeric_limits<unsigned long>::max();
inline constexpr subblock_run everything{0, none / 2};

// A process id is where a pid would be.
inline pid* process(unsigned long number) {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast,performance-no-int-to-ptr)
  return reinterpret_cast<pid*>(number);
}

struct Listed {
  unsigned long first = 0;
  unsigned long nr = 0;
  u32 flags = 0;
  int holder = 0;
  bool operator==(const Listed&) const = default;
};

inline void PrintTo(const Listed& listed, std::ostream* out) {
  *out << listed.first << "+" << listed.nr << " flags " << listed.flags << " holder "
       << listed.holder;
}

inline std::vector<Listed> listed_by(int (*list)(memplug_range*, unsigned int, u64*)) {
  std::vector<memplug_range> ranges(64);
  u64 generation = 0;
  ranges.resize(static_cast<std::size_t>(list(ranges.data(), 64, &generation)));
  std::vector<Listed> result;
  result.reserve(ranges.size());
  for (const memplug_range& range : ranges) {
    result.push_back({range.start / Machine::subblock_size, range.length / Machine::subblock_size,
                      range.flags, range.holder});
  }
  return result;
}

// Whether it could be mapped; it is not afterwards.
inline int try_map(subblock_run run) {
  region_mapping mapping{};
  mapping.run = run;
  const int error = memplug_region_map(&mapping);
  if (error == 0) {
    memplug_region_unmap(&mapping);
  }
  return error;
}

inline std::vector<Listed> list() { return listed_by(memplug_region_list); }

// Of all 200 subblocks.
class Snapshot {
 public:
  explicit Snapshot(region_direction direction) {
    view_.nr = 200;
    view_.ready = ready_.data();
    view_.busy = busy_.data();
    view_.seams = seams_.data();
    memplug_region_snapshot(direction, everything, NUMA_NO_NODE, &view_);
  }
  [[nodiscard]] const region_view& view() const { return view_; }

 private:
  std::array<unsigned long, 8> ready_{};
  std::array<unsigned long, 8> busy_{};
  std::array<unsigned long, 8> seams_{};
  region_view view_{};
};

// 16 to 99 are of node 0, 100 to 199 of node 1. 20 to 39 are unplugged, and ordinary.
class Books : public ::testing::Test {
 protected:
  Books() : machine_(2) {
    machine_.add({16, 84}, 0);
    machine_.add({100, 100}, 1);
  }

  void SetUp() override {
    ASSERT_EQ(memplug_region_init(), 0);
    take({20, 20});
  }

  static void take(subblock_run run) {
    ASSERT_TRUE(memplug_region_reserve(run, REGION_UNPLUG));
    memplug_region_commit(run, REGION_UNPLUG, REGION_ASKED);
  }

  region_owner& enter(unsigned long opener) {
    region_owner& owner = owners_.emplace_back();
    owner.opener = process(opener);
    EXPECT_EQ(memplug_region_enter_owner(&owner), 0);
    return owner;
  }

  // A request's place in the books.
  region_owner& enter_request() {
    region_owner& owner = owners_.emplace_back();
    owner.is_request = true;
    EXPECT_EQ(memplug_region_enter_owner(&owner), 0);
    return owner;
  }

  // By a request that still runs.
  static void take_unsettled(const region_owner& owner, subblock_run run) {
    ASSERT_TRUE(memplug_region_reserve(run, REGION_UNPLUG));
    memplug_region_commit_taken(run, &owner);
  }

  static void take_for(const region_owner& owner, subblock_run run) {
    take_unsettled(owner, run);
    memplug_region_settle(&owner);
  }

  region_mapping& map(subblock_run run) {
    region_mapping& mapping = mappings_.emplace_back();
    mapping.run = run;
    EXPECT_EQ(memplug_region_map(&mapping), 0);
    return mapping;
  }

  static void give_back(const region_owner& owner) {
    for (unsigned long i = memplug_region_next_tied(&owner, 0); i != none;
         i = memplug_region_next_tied(&owner, i + 1)) {
      if (memplug_region_reserve_owned(i, &owner)) {
        memplug_region_commit({i, 1}, REGION_PLUG, REGION_ASKED);
      }
    }
  }

  // "struct" because a function has the same name.
  static struct region_sizes sizes() {
    struct region_sizes sizes {};
    ::memplug_region_sizes(&sizes);
    return sizes;
  }

  static int leave(subblock_run run) {
    return memplug_region_leave(subblock_pfn(run.first), run.nr * subblock_pages());
  }

 private:
  Machine machine_;
  // The books have their addresses.
  std::deque<region_owner> owners_;
  std::deque<region_mapping> mappings_;
};

}  // namespace memplug::test
