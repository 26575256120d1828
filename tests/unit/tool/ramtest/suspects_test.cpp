// SPDX-License-Identifier: MIT
// Which of the pages that memtester suspects are bad.
#include "ramtest/suspects.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace memplug {
namespace {

constexpr std::uint64_t mib = 1ULL << 20U;
constexpr std::uint64_t page = 4096;
constexpr std::uint64_t base = 0x140000000;
constexpr Range range{PhysAddr{base}, Bytes{64 * mib}};

PhysAddr at(std::uint64_t offset) { return PhysAddr{base + offset}; }

// What memtester says of words that are wrong, given where they are.
std::vector<MemtesterFailure> failures_in(Range tested, const std::vector<PhysAddr>& bad) {
  MemtesterOutput output(tested);
  const std::uint64_t half = tested.size.value / 2;
  for (const PhysAddr word : bad) {
    if (word >= tested.start && word <= last_byte(tested)) {
      const std::uint64_t offset = (word.value - tested.start.value) % half;
      output.add_stderr("FAILURE: 0x1 != 0x0 at physical address " +
                        print_address(PhysAddr{tested.start.value + offset}) + ".\n");
    }
  }
  return {output.failures().begin(), output.failures().end()};
}

Suspects suspects_after(std::size_t runs, const std::vector<PhysAddr>& bad) {
  Suspects suspects;
  suspects.add(failures_in(range, bad));
  for (std::size_t i = 0; i < runs; ++i) {
    suspects.add(failures_in(other_ranges(range).at(i), bad));
  }
  return suspects;
}

TEST(Suspects, OtherRangesHaveOtherHalvesAndAllPages) {
  const auto [low, high] = other_ranges(range);
  EXPECT_EQ(low, (Range{at(0), Bytes{56 * mib}}));
  EXPECT_EQ(high, (Range{at(8 * mib), Bytes{56 * mib}}));
  const auto [small_low, small_high] = other_ranges({at(0), Bytes{mib}});
  EXPECT_EQ(small_low.size, small_high.size);
  EXPECT_EQ(small_low.size.value / 2 % page, 0U);
}

TEST(Suspects, OneRunLeavesTwo) {
  const Suspects suspects = suspects_after(0, {at(5 * page + 8)});
  EXPECT_FALSE(suspects.are_told_apart());
  EXPECT_EQ(suspects.bad_pages(), (std::set{at(5 * page), at(32 * mib + 5 * page)}));
}

TEST(Suspects, AnotherRunTellsThemApart) {
  for (const std::uint64_t offset : {std::uint64_t{0}, 5 * page, 30 * mib, 32 * mib, 40 * mib}) {
    const Suspects suspects = suspects_after(1, {at(offset + 8)});
    EXPECT_TRUE(suspects.are_told_apart()) << offset;
    EXPECT_EQ(suspects.bad_pages(), std::set{at(offset)}) << offset;
  }
}

TEST(Suspects, AThirdSeesTheEnd) {
  const std::vector<PhysAddr> bad{at(60 * mib + 8)};
  EXPECT_FALSE(suspects_after(1, bad).are_told_apart());
  EXPECT_TRUE(suspects_after(2, bad).are_told_apart());
  EXPECT_EQ(suspects_after(2, bad).bad_pages(), std::set{at(60 * mib)});
}

TEST(Suspects, SeveralFaultsAreFound) {
  const std::vector<PhysAddr> bad{at(page), at(2 * page), at(33 * mib), at(63 * mib)};
  const Suspects suspects = suspects_after(2, bad);
  EXPECT_TRUE(suspects.are_told_apart());
  EXPECT_EQ(suspects.bad_pages(), (std::set<PhysAddr>(bad.begin(), bad.end())));
}

TEST(Suspects, AFaultThatDoesNotComeAgainLeavesBoth) {
  Suspects suspects = suspects_after(0, {at(page)});
  suspects.add({});
  suspects.add({});
  EXPECT_FALSE(suspects.are_told_apart());
  EXPECT_EQ(suspects.bad_pages(), (std::set{at(page), at(32 * mib + page)}));
}

TEST(Suspects, AFaultThatComesLaterIsNotPassedOver) {
  Suspects suspects = suspects_after(0, {at(page)});
  const Range other = other_ranges(range)[0];
  suspects.add(failures_in(other, {at(page), at(10 * mib)}));
  EXPECT_EQ(suspects.bad_pages(), (std::set{at(page), at(10 * mib), at(38 * mib)}));
}

TEST(Suspects, WhatTheAddressTestNamesIsCertain) {
  Suspects suspects;
  suspects.add({{at(page), at(32 * mib + page)}, {at(32 * mib + page), std::nullopt}});
  EXPECT_TRUE(suspects.are_told_apart());
  EXPECT_EQ(suspects.bad_pages(), std::set{at(32 * mib + page)});
}

}  // namespace
}  // namespace memplug
