// SPDX-License-Identifier: MIT
// What claims are told of the pages that moved while they ran, on CPUs that come and go.
#include <gtest/gtest.h>

#include <array>
#include <cstdint>

extern "C" {
#include <linux/cpu.h>
#include <linux/vmstat.h>

#include "memory/migrated.h"

unsigned int machine_locks_held;
void (*machine_lock_watch)(bool taken);
}

namespace {

constexpr int last_cpu = MACHINE_CPUS - 1;

// The kernel's own part: counters, and a CPU that is about to go or on its way.
struct Cpus {
  std::array<unsigned long, MACHINE_CPUS> moved{};
  bool kept = false;
  bool on_its_way = false;
  bool goes_amid_a_look = false;

  // The last CPU's count becomes the first one's.
  void fold() {
    moved.front() += moved.back();
    moved.back() = 0;
  }
};

Cpus cpus;

}  // namespace

extern "C" bool cpus_read_trylock() {
  if (cpus.on_its_way) {
    return false;
  }
  cpus.kept = true;
  return true;
}

extern "C" void cpus_read_unlock() { cpus.kept = false; }

// When all CPUs but the last have been looked at is the worst of all moments.
extern "C" vm_event_state machine_vm_events(int cpu) {
  if (cpu == last_cpu && cpus.goes_amid_a_look && !cpus.kept) {
    cpus.goes_amid_a_look = false;
    cpus.fold();
  }
  return {{cpus.moved.at(static_cast<std::size_t>(cpu))}};
}

namespace {

class Migrated : public ::testing::Test {
 protected:
  Migrated() { cpus = {}; }

  // What a claim is told that is alone, while so many pages are moved.
  static std::uint64_t alone(unsigned long moved) {
    migrated one{};
    memplug_migrated_begin(&one);
    cpus.moved.front() += moved;
    memplug_migrated_end(&one);
    return one.pages;
  }
};

TEST_F(Migrated, WhoIsAloneGetsAll) {
  cpus.moved = {1, 2, 3, 1000};
  EXPECT_EQ(alone(0), 0U);
  EXPECT_EQ(alone(17), 17U);
  cpus.moved[2] += 500;  // while no claim ran
  EXPECT_EQ(alone(3), 3U);
}

TEST_F(Migrated, SharesAddUp) {
  migrated first{};
  migrated second{};
  memplug_migrated_begin(&first);
  cpus.moved[1] += 10;
  memplug_migrated_begin(&second);
  cpus.moved[2] += 7;
  memplug_migrated_end(&first);
  cpus.moved[3] += 4;
  memplug_migrated_end(&second);
  EXPECT_EQ(first.pages + second.pages, 21U);
  EXPECT_GE(first.pages, 13U);
}

TEST_F(Migrated, ACpuThatGoesAmidTheFirstLookBringsNothing) {
  cpus.moved.back() = 1000000;
  EXPECT_EQ(alone(0), 0U);
  cpus.goes_amid_a_look = true;
  EXPECT_EQ(alone(5), 5U);
}

TEST_F(Migrated, ACpuThatGoesAmidTheLastLookTakesNothingAlong) {
  cpus.moved.back() = 1000000;
  EXPECT_EQ(alone(0), 0U);
  migrated one{};
  memplug_migrated_begin(&one);
  cpus.moved.front() += 5;
  cpus.goes_amid_a_look = true;
  memplug_migrated_end(&one);
  EXPECT_EQ(one.pages, 5U);
  cpus.fold();
  EXPECT_EQ(alone(7), 7U);
}

// The counts can't be believed before it is over, and what came before is nobody's then.
TEST_F(Migrated, WhileACpuGoesNothingIsShared) {
  EXPECT_EQ(alone(0), 0U);
  cpus.moved.back() += 1000000;  // while no claim ran
  migrated one{};
  cpus.on_its_way = true;
  memplug_migrated_begin(&one);
  cpus.fold();
  cpus.on_its_way = false;
  memplug_migrated_end(&one);
  EXPECT_EQ(one.pages, 0U);
  EXPECT_EQ(alone(5), 5U);
}

TEST_F(Migrated, ACpuThatIsStillGoingAtTheEndLeavesNothingForTheNext) {
  migrated one{};
  memplug_migrated_begin(&one);
  cpus.moved.back() += 1000000;
  cpus.on_its_way = true;
  memplug_migrated_end(&one);
  EXPECT_EQ(one.pages, 0U);
  cpus.on_its_way = false;
  EXPECT_EQ(alone(5), 5U);
}

}  // namespace
