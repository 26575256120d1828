// SPDX-License-Identifier: MIT
// Which zones an unplug takes from, and in which order: the module's own request/dispatch.c,
// unplug.c and what these call, on the books of a made-up machine, with a floor, workers and pages
// that do what the test says.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <map>
#include <set>
#include <vector>

#include "machine.hpp"

extern "C" {
#include <linux/memory.h>

#include "counters.h"
#include "machine/hotplug.h"
#include "memory/survey.h"
#include "request/dispatch.h"
#include "request/plug.h"
#include "request/release.h"
#include "request/request.h"
#include "request/signals.h"
#include "request/unmanaged.h"
}

namespace {

constexpr unsigned long first_low = 16;
constexpr unsigned long first_normal = 32;
constexpr unsigned long end_of_memory = 64;
// Of node 0, as place_of() has them.
constexpr int low_place = ZONE_DMA32;
constexpr int normal_place = ZONE_NORMAL;

struct Claimed {
  subblock_run run{};
  bool give_back = false;  // for its side effects
};

// All is free but what is in one of the sets.
struct Pages {
  std::set<unsigned long> in_use;   // and can be moved
  std::set<unsigned long> in_flux;  // looks as if something were in the way, and nothing is
  std::set<unsigned long> blocked;  // for good
};

// In subblocks. What is not there may go without a limit.
struct Floor {
  std::map<int, unsigned long> most;  // of a place
  unsigned long most_of_all = std::numeric_limits<unsigned long>::max();
  std::map<int, unsigned long> reserved;
};

Pages pages;
Floor given;
std::vector<Claimed> claims;

unsigned long unplugged_of(int place) {
  unsigned long count = 0;
  for (unsigned long i = 0; i < memplug_region_nr(); ++i) {
    count += memplug_region_is_unplugged(i) && memplug_region_place(i) == place ? 1U : 0U;
  }
  return count;
}

floor_verdict judge(int place, unsigned long in_zone, unsigned long in_all) {
  unsigned long all = in_all / subblock_pages();
  for (const int each : {low_place, normal_place}) {
    all += unplugged_of(each) + given.reserved[each];
  }
  if (all > given.most_of_all) {
    return FLOOR_TOTAL;
  }
  const auto most = given.most.find(place);
  const unsigned long here =
      unplugged_of(place) + given.reserved[place] + in_zone / subblock_pages();
  return most == given.most.end() || here <= most->second ? FLOOR_OK : FLOOR_ZONE;
}

}  // namespace

// What is above, below and beside.
extern "C" {
unsigned long memory_block_size_bytes() { return 128UL << 20U; }
int memplug_hotplug_exclude() { return 0; }
void memplug_hotplug_allow() {}
bool memplug_hotplug_wait(unsigned long /*timeout*/) { return true; }
bool memplug_signals_are_due() { return false; }
void memplug_counters_add_survey(u64 /*ns*/) {}
void memplug_counters_add_request(u32 /*operation*/, u32 /*stop*/) {}
void memplug_plug_run(request* /*req*/) {}
bool memplug_unmanaged_find(subblock_run /*within*/, subblock_run* /*bad*/, u32* /*why*/) {
  return false;
}

floor_verdict memplug_floor_check(int place, floor_share in_zone, unsigned long total_pages) {
  return judge(place, in_zone.nr_pages, total_pages);
}
floor_verdict memplug_floor_reserve(int place, floor_share share) {
  const floor_verdict verdict = judge(place, share.nr_pages, share.nr_pages);
  if (verdict == FLOOR_OK) {
    given.reserved[place] += share.nr_pages / subblock_pages();
  }
  return verdict;
}
void memplug_floor_unreserve(int place, floor_share share) {
  given.reserved[place] -= share.nr_pages / subblock_pages();
}
bool memplug_floor_wait(unsigned long /*timeout*/) { return false; }

bool memplug_survey_all_free(unsigned long pfn, unsigned long /*nr_pages*/) {
  const unsigned long index = pfn >> memplug_subblock_order;
  return !pages.in_use.contains(index) && !pages.in_flux.contains(index) &&
         !pages.blocked.contains(index);
}
void memplug_survey_pages(unsigned long pfn, unsigned long nr_pages, survey* survey) {
  const unsigned long index = pfn >> memplug_subblock_order;
  *survey = {};
  if (memplug_survey_all_free(pfn, nr_pages)) {
    survey->free = nr_pages;
    return;
  }
  survey->movable = nr_pages;
  if (!pages.in_use.contains(index)) {
    survey->certain = pages.blocked.contains(index);
    survey->reason = survey->certain ? MEMPLUG_REASON_UNMOVABLE : MEMPLUG_REASON_PINNED;
    survey->blocker = pfn;
  }
}

unsigned int memplug_claim_workers() { return 1; }
void memplug_claim_start(claim* claim, int nid) {
  EXPECT_EQ(nid, 0);
  const subblock_run run = claim->run;
  claims.push_back({run, claim->give_back});
  claim->result = 0;
  for (unsigned long i = run.first; i < run.first + run.nr; ++i) {
    claim->result = pages.blocked.contains(i) ? -EBUSY : claim->result;
  }
  if (claim->result != 0 || claim->give_back) {
    memplug_region_abort(run);
  } else if (claim->owner != nullptr) {
    memplug_region_commit_taken(run, claim->owner);
  } else {
    memplug_region_commit(run, REGION_UNPLUG, claim->mover);
  }
  claim->migrated = 0;
  claim->over = true;
}
bool memplug_claim_cancel(claim* /*claim*/) { return false; }
void wait_for_completion(completion* /*completion*/) {}
long wait_for_completion_interruptible_timeout(completion* /*completion*/, unsigned long timeout) {
  return static_cast<long>(timeout);
}
long wait_for_completion_killable_timeout(completion* /*completion*/, unsigned long timeout) {
  return static_cast<long>(timeout);
}

release memplug_release_subblock(unsigned long index, region_mover mover, unsigned long* poisoned) {
  *poisoned = 0;
  memplug_region_commit({index, 1}, REGION_PLUG, mover);
  return RELEASED;
}
}

namespace {

// As device/transfer.c hands it on.
class Unplug {
 public:
  explicit Unplug(unsigned long length, u32 flags = 0) : request_(memplug_request_alloc()) {
    request_->operation = MEMPLUG_OP_UNPLUG;
    request_->flags = flags;
    request_->within = {0, subblock_at(std::numeric_limits<u64>::max())};
    request_->length = length;
    request_->align = 1;
    if ((flags & (MEMPLUG_REQ_NORMAL | MEMPLUG_REQ_LOW)) != 0) {
      request_->zone = (flags & MEMPLUG_REQ_LOW) != 0 ? REQUEST_LOW : REQUEST_NORMAL;
    }
  }
  explicit Unplug(subblock_run range) : Unplug(range.nr, MEMPLUG_REQ_RANGE) {
    request_->within = range;
  }
  Unplug(const Unplug&) = delete;
  Unplug& operator=(const Unplug&) = delete;
  ~Unplug() {
    memplug_request_settle(request_);
    memplug_request_free(request_);
  }

  // Toward a target: these were tried in vain, and have to wait; those that are new, not for long.
  void pass_over(const std::set<unsigned long>& waiting, const std::set<unsigned long>& fresh) {
    request_->background = true;
    for (const unsigned long index : waiting) {
      __set_bit(index, skip_.data());
    }
    for (const unsigned long index : fresh) {
      __set_bit(index, skip_fresh_.data());
    }
    request_->skip = skip_.data();
    request_->skip_fresh = skip_fresh_.data();
    request_->skip_nr = end_of_memory;
  }

  const request& run() {
    EXPECT_EQ(memplug_request_run(request_), 0);
    return *request_;
  }

 private:
  request* request_;
  std::array<unsigned long, BITS_TO_LONGS(end_of_memory)> skip_{};
  std::array<unsigned long, BITS_TO_LONGS(end_of_memory)> skip_fresh_{};
};

class Zones : public testing::Test {
 protected:
  explicit Zones(bool with_low = true) {
    pages = {};
    given = {};
    claims.clear();
    memplug_ram_zones = 1U << ZONE_NORMAL | (with_low ? 1U << ZONE_DMA32 : 0U);
    machine_.add({first_low, first_normal - first_low}, 0,
                 with_low ? MEMPLUG_BAD_NONE : MEMPLUG_BAD_ZONE, ZONE_DMA32);
    machine_.add({first_normal, end_of_memory - first_normal}, 0);
  }
  void SetUp() override { ASSERT_EQ(memplug_region_init(), 0); }
  void TearDown() override { memplug_ram_zones = 1U << ZONE_NORMAL; }

  static bool is_low(const Claimed& claimed) { return claimed.run.first < first_normal; }
  static bool is_any_low() { return std::any_of(claims.begin(), claims.end(), is_low); }

  // No claim of what is low comes before one of what is not, or has a part of both.
  static void expect_normal_first() {
    EXPECT_TRUE(std::is_partitioned(claims.begin(), claims.end(),
                                    [](const Claimed& claimed) { return !is_low(claimed); }));
    for (const Claimed& claimed : claims) {
      EXPECT_TRUE(!is_low(claimed) || claimed.run.first + claimed.run.nr <= first_normal);
    }
  }

  static void expect_taken(unsigned long normal, unsigned long low) {
    EXPECT_EQ(unplugged_of(normal_place), normal);
    EXPECT_EQ(unplugged_of(low_place), low);
  }

  static std::set<unsigned long> from_to(unsigned long first, unsigned long end) {
    std::set<unsigned long> numbers;
    for (; first < end; ++first) {
      numbers.insert(first);
    }
    return numbers;
  }

 private:
  Machine machine_{1};
};

// As most machines are: what is low is there, and nobody looks after it.
class NoLowZones : public Zones {
 protected:
  NoLowZones() : Zones(false) {}
};

TEST_F(Zones, WhatIsLowIsLeftAloneWhileThereIsMore) {
  EXPECT_EQ(Unplug(32).run().done, 32U);
  expect_taken(32, 0);
  EXPECT_FALSE(is_any_low());
}

TEST_F(Zones, WhatZoneNormalCanNotGiveIsTakenFromLow) {
  Unplug unplug(40);
  const request& request = unplug.run();
  EXPECT_EQ(request.done, 40U);
  EXPECT_EQ(request.stop, u32{MEMPLUG_STOP_NONE});
  expect_taken(32, 8);
  expect_normal_first();
}

TEST_F(Zones, WhatIsInUseInZoneNormalComesBeforeWhatIsFreeInLow) {
  pages.in_use = from_to(first_normal, end_of_memory);
  EXPECT_EQ(Unplug(30).run().done, 30U);
  expect_taken(30, 0);
}

TEST_F(Zones, AllPassesOverZoneNormalComeFirst) {
  pages.blocked = {40};
  pages.in_flux = {50, 55};
  Unplug unplug(40);
  const request& request = unplug.run();
  EXPECT_EQ(request.done, 40U);
  expect_taken(31, 9);
  expect_normal_first();
  EXPECT_TRUE(memplug_region_is_unplugged(50)) << "nothing was in its way, as a later pass finds";
}

TEST_F(Zones, LowHasPassesOfItsOwn) {
  pages.in_flux = from_to(first_low, first_normal);
  Unplug unplug(48);
  const request& request = unplug.run();
  EXPECT_EQ(request.done, 48U);
  expect_taken(32, 16);
  expect_normal_first();
}

TEST_F(Zones, MoreThanThereIsTakesAll) {
  Unplug unplug(100);
  const request& request = unplug.run();
  EXPECT_EQ(request.done, 48U);
  EXPECT_EQ(request.stop, u32{MEMPLUG_STOP_EXHAUSTED});
}

TEST_F(Zones, NormalNeverTakesLow) {
  Unplug unplug(40, MEMPLUG_REQ_NORMAL);
  const request& request = unplug.run();
  EXPECT_EQ(request.done, 32U);
  EXPECT_EQ(request.stop, u32{MEMPLUG_STOP_EXHAUSTED});
  expect_taken(32, 0);
  EXPECT_FALSE(is_any_low());
}

TEST_F(Zones, LowTakesOnlyLow) {
  Unplug unplug(20, MEMPLUG_REQ_LOW);
  const request& request = unplug.run();
  EXPECT_EQ(request.done, 16U);
  EXPECT_EQ(request.stop, u32{MEMPLUG_STOP_EXHAUSTED});
  expect_taken(0, 16);
}

TEST_F(Zones, ARangeSaysItself) {
  EXPECT_EQ(Unplug(subblock_run{20, 4}).run().done, 4U);
  expect_taken(0, 4);
}

TEST_F(Zones, OneRunComesFromZoneNormalWhatever) {
  pages.in_use = from_to(first_normal, end_of_memory);
  EXPECT_EQ(Unplug(8, MEMPLUG_REQ_CONTIGUOUS).run().done, 8U);
  expect_taken(8, 0);
}

TEST_F(Zones, OneRunComesFromLowWhereZoneNormalHasNone) {
  pages.blocked = {40, 50};
  EXPECT_EQ(Unplug(14, MEMPLUG_REQ_CONTIGUOUS | MEMPLUG_REQ_NORMAL).run().done, 0U);
  EXPECT_EQ(Unplug(14, MEMPLUG_REQ_CONTIGUOUS).run().done, 14U);
  expect_taken(0, 14);
}

TEST_F(Zones, OneRunIsOfOneZone) {
  pages.blocked = {40};
  EXPECT_EQ(Unplug(24, MEMPLUG_REQ_CONTIGUOUS).run().done, 0U) << "16 to 39 are of two";
  expect_taken(0, 0);
}

TEST_F(Zones, OneRunIsLookedForInItsZoneAgain) {
  pages.in_flux = from_to(first_normal, end_of_memory);
  EXPECT_EQ(Unplug(8, MEMPLUG_REQ_CONTIGUOUS | MEMPLUG_REQ_NORMAL).run().done, 8U);
  expect_taken(8, 0);
  EXPECT_FALSE(is_any_low()) << "nor for what a claim does on its way";
}

TEST_F(Zones, AllOrNothingCountsBoth) {
  EXPECT_EQ(Unplug(40, MEMPLUG_REQ_EXACT).run().done, 40U);
  expect_taken(32, 8);
}

TEST_F(Zones, AllOrNothingGivesBothBack) {
  given.most[low_place] = 4;
  EXPECT_EQ(Unplug(40, MEMPLUG_REQ_EXACT).run().done, 0U);
  EXPECT_FALSE(claims.empty());
  expect_taken(0, 0);
}

TEST_F(Zones, WhatTheFloorKeepsOfOneIsTakenFromTheOther) {
  given.most[normal_place] = 10;
  Unplug unplug(20);
  EXPECT_EQ(unplug.run().done, 20U);
  expect_taken(10, 10);
  expect_normal_first();
}

TEST_F(Zones, TheFloorKeepsSomeOfEach) {
  given.most[normal_place] = 10;
  given.most[low_place] = 5;
  Unplug unplug(40);
  const request& request = unplug.run();
  EXPECT_EQ(request.done, 15U);
  EXPECT_EQ(request.stop, u32{MEMPLUG_STOP_FLOOR});
  expect_taken(10, 5);
}

TEST_F(Zones, TheFloorKeepsSomeOfWhatIsLow) {
  given.most[low_place] = 5;
  pages.in_use = from_to(first_low, first_normal);
  Unplug unplug(16, MEMPLUG_REQ_LOW);
  const request& request = unplug.run();
  EXPECT_EQ(request.done, 5U);
  EXPECT_EQ(request.stop, u32{MEMPLUG_STOP_FLOOR});
  expect_taken(0, 5);
}

TEST_F(Zones, ARangeTellsWhatTheFloorKeeps) {
  given.most[low_place] = 3;
  Unplug unplug(subblock_run{20, 4});
  const request& request = unplug.run();
  EXPECT_EQ(request.done, 3U);
  EXPECT_EQ(request.stop, u32{MEMPLUG_STOP_FLOOR});
  ASSERT_EQ(request.blockers.nr, 1U);
  EXPECT_EQ(request.blockers.records[0].reason, u32{MEMPLUG_REASON_FLOOR});
}

TEST_F(Zones, WhereNothingMayGoAnyMoreLowIsNotAsked) {
  given.most_of_all = 10;
  Unplug unplug(40);
  const request& request = unplug.run();
  EXPECT_EQ(request.done, 10U);
  EXPECT_EQ(request.stop, u32{MEMPLUG_STOP_FLOOR});
  expect_taken(10, 0);
  EXPECT_FALSE(is_any_low());
}

TEST_F(Zones, ADryRunSaysTheSame) {
  given.most[normal_place] = 10;
  given.most[low_place] = 5;
  Unplug unplug(40, MEMPLUG_REQ_DRY_RUN);
  const request& request = unplug.run();
  EXPECT_EQ(request.done, 15U);
  EXPECT_EQ(request.stop, u32{MEMPLUG_STOP_FLOOR});
  EXPECT_TRUE(claims.empty());
  expect_taken(0, 0);
}

TEST_F(Zones, TowardATargetLowWaitsForWhatMayBeHadYet) {
  Unplug unplug(40);
  unplug.pass_over({33, 40, 41}, {40});
  EXPECT_EQ(unplug.run().done, 29U);
  expect_taken(29, 0);
}

TEST_F(Zones, TowardATargetLowDoesNotWaitForever) {
  Unplug unplug(40);
  unplug.pass_over({33, 40, 41, 17}, {17});
  EXPECT_EQ(unplug.run().done, 40U);
  expect_taken(29, 11);
  EXPECT_FALSE(memplug_region_is_unplugged(17));
}

TEST_F(NoLowZones, NothingChanges) {
  Unplug unplug(40);
  const request& request = unplug.run();
  EXPECT_EQ(request.done, 32U);
  EXPECT_EQ(request.stop, u32{MEMPLUG_STOP_EXHAUSTED});
}

TEST_F(NoLowZones, NormalIsAllThereIs) {
  EXPECT_EQ(Unplug(8, MEMPLUG_REQ_NORMAL).run().done, 8U);
  EXPECT_EQ(Unplug(8, MEMPLUG_REQ_NORMAL | MEMPLUG_REQ_CONTIGUOUS).run().done, 8U);
  expect_taken(16, 0);
}

TEST_F(NoLowZones, NormalIsLookedAtAgain) {
  pages.in_flux = from_to(first_normal, end_of_memory);
  EXPECT_EQ(Unplug(8, MEMPLUG_REQ_NORMAL | MEMPLUG_REQ_CONTIGUOUS).run().done, 8U);
  EXPECT_EQ(Unplug(8, MEMPLUG_REQ_NORMAL).run().done, 8U);
  expect_taken(16, 0);
}

TEST_F(NoLowZones, LowIsNothing) {
  pages.in_flux = {40};
  for (const u32 flags : {0U, MEMPLUG_REQ_CONTIGUOUS, MEMPLUG_REQ_EXACT, MEMPLUG_REQ_DRY_RUN}) {
    Unplug unplug(8, MEMPLUG_REQ_LOW | flags);
    const request& request = unplug.run();
    EXPECT_EQ(request.done, 0U);
    EXPECT_EQ(request.stop, u32{MEMPLUG_STOP_EXHAUSTED});
  }
  EXPECT_TRUE(claims.empty());
}

}  // namespace
