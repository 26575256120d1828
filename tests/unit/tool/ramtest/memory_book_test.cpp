// SPDX-License-Identifier: MIT
// What a memory test plans and remembers.
#include "ramtest/memory_book.hpp"

#include <gtest/gtest.h>

namespace memplug {
namespace {

using Kind = Hindrance::Kind;

constexpr std::uint64_t mib = 1ULL << 20U;
constexpr std::uint64_t base = 0x140000000;
constexpr Bytes subblock{4 * mib};

Range at(std::uint64_t first_mib, std::uint64_t size_mib) {
  return {PhysAddr{base + first_mib * mib}, Bytes{size_mib * mib}};
}

Stretch stretch(Range range, SubblockState state, int node = 0) {
  Stretch stretch;
  stretch.range = range;
  stretch.state = state;
  stretch.node = node;
  return stretch;
}

// As the module tells of it: each plugged subblock is a stretch.
std::vector<Stretch> plugged(Range range, int node = 0) {
  std::vector<Stretch> stretches;
  for (std::uint64_t i = 0; i < range.size.value; i += subblock.value) {
    stretches.push_back(
        stretch({PhysAddr{range.start.value + i}, subblock}, SubblockState::Plugged, node));
  }
  return stretches;
}

// 32 MiB plugged, 8 MiB that somebody has, 8 MiB that is no memory, 16 MiB of another node.
std::vector<Stretch> some_memory() {
  std::vector<Stretch> survey = plugged(at(0, 32));
  survey.push_back(stretch(at(32, 8), SubblockState::Unplugged));
  survey.push_back(stretch(at(40, 8), SubblockState::Unmanaged));
  for (const Stretch& other : plugged(at(48, 16), 1)) {
    survey.push_back(other);
  }
  return survey;
}

TEST(MemoryBook, ChunksAreCutAtMultiples) {
  const MemoryBook book(plugged(at(8, 40)), subblock);
  EXPECT_EQ(book.chunks(Bytes{16 * mib}), (std::vector{at(8, 8), at(16, 16), at(32, 16)}));
  EXPECT_EQ(book.chunks(Bytes{1024 * mib}), std::vector{at(8, 40)});
  EXPECT_EQ(book.chunks(subblock).size(), 10U);
}

TEST(MemoryBook, ChunksEndWhereMemoryDoes) {
  const MemoryBook book(some_memory(), subblock);
  EXPECT_EQ(book.chunks(Bytes{64 * mib}), (std::vector{at(0, 32), at(48, 16)}));
  EXPECT_EQ(book.requested(), Bytes{48 * mib});
  EXPECT_EQ(book.tested(), Bytes{0});
}

TEST(MemoryBook, WhatIsBusyIsInQuestion) {
  const MemoryBook book({stretch(at(0, 4), SubblockState::Busy)}, subblock);
  EXPECT_EQ(book.chunks(subblock), std::vector{at(0, 4)});
}

TEST(MemoryBook, WhatSomebodyHasIsToldBesides) {
  std::vector<Stretch> survey = some_memory();
  survey.push_back(stretch(at(64, 4), SubblockState::Unplugged));
  survey.back().quarantined = true;
  const MemoryBook book(survey, subblock);
  const auto unplugged = book.unplugged();
  ASSERT_EQ(unplugged.size(), 2U);
  EXPECT_EQ(unplugged[0].range, at(32, 8));
  EXPECT_EQ(unplugged[0].why.kind, Kind::Unplugged);
  EXPECT_EQ(unplugged[1].range, at(64, 4));
  EXPECT_EQ(unplugged[1].why, (Hindrance{Kind::Blocked, Reason::Quarantined}));
}

TEST(MemoryBook, CountsWhatCameOfIt) {
  MemoryBook book(some_memory(), subblock);
  book.set_good(at(0, 16));
  book.set_bad(at(16, 4), {PhysAddr{base + 17 * mib}, PhysAddr{base + 60 * mib}});
  book.set_kept(at(16, 4));
  book.set_untested(at(20, 4), {Kind::Blocked, Reason::Pinned});
  EXPECT_EQ(book.tested(), Bytes{20 * mib});
  EXPECT_EQ(book.bad(), Bytes{4 * mib});
  const auto bad = book.bad_stretches();
  ASSERT_EQ(bad.size(), 1U);
  EXPECT_EQ(bad[0].range, at(16, 4));
  EXPECT_EQ(bad[0].pages, std::vector{PhysAddr{base + 17 * mib}});
  EXPECT_TRUE(bad[0].kept);
  const auto untested = book.untested();
  ASSERT_EQ(untested.size(), 3U);
  EXPECT_EQ(untested[0].why, (Hindrance{Kind::Blocked, Reason::Pinned}));
  EXPECT_EQ(untested[1].range, at(24, 8));
  EXPECT_EQ(untested[1].why.kind, Kind::Interrupted) << "its turn never came";
  EXPECT_EQ(book.chunks(Bytes{64 * mib}), (std::vector{at(24, 8), at(48, 16)}));
}

TEST(MemoryBook, AVerdictStands) {
  MemoryBook book(plugged(at(0, 12)), subblock);
  book.set_bad(at(0, 4), {});
  book.set_good(at(0, 8));
  book.set_untested(at(0, 8), {});
  EXPECT_EQ(book.bad(), Bytes{4 * mib});
  EXPECT_EQ(book.tested(), Bytes{8 * mib});
}

TEST(MemoryBook, OtherNodesAndUnknownPagesAreApart) {
  std::vector<Stretch> survey = plugged(at(0, 12));
  for (const Stretch& other : plugged(at(12, 4), 1)) {
    survey.push_back(other);
  }
  MemoryBook book(survey, subblock);
  const PhysAddr page{base + 4 * mib};
  book.set_bad(at(0, 4), {});
  book.set_bad(at(4, 4), {page});
  book.set_bad(at(8, 4), {PhysAddr{base + 8 * mib}});
  book.set_bad(at(12, 4), {PhysAddr{base + 12 * mib}});
  const auto bad = book.bad_stretches();
  ASSERT_EQ(bad.size(), 3U);
  EXPECT_EQ(bad[0].range, at(0, 4));
  EXPECT_TRUE(bad[0].pages.empty());
  EXPECT_EQ(bad[1].range, at(4, 8));
  EXPECT_EQ(bad[1].pages, (std::vector{page, PhysAddr{base + 8 * mib}}));
  EXPECT_EQ(bad[2].node, 1);
}

TEST(MemoryBook, LooksAgainAtWhatCouldNotBeTested) {
  MemoryBook book(plugged(at(0, 20)), subblock);
  book.set_good(at(0, 4));
  book.set_untested(at(4, 16), {Kind::Blocked, Reason::Pinned});
  EXPECT_TRUE(book.chunks(subblock).empty());
  std::vector<Stretch> survey = plugged(at(0, 8));
  survey.push_back(stretch(at(8, 4), SubblockState::Unplugged));
  survey.push_back(stretch(at(12, 8), SubblockState::Unmanaged));
  book.look_again(survey);
  EXPECT_EQ(book.chunks(Bytes{64 * mib}), std::vector{at(4, 4)});
  const auto untested = book.untested();
  ASSERT_EQ(untested.size(), 3U);
  EXPECT_EQ(untested[0].why, (Hindrance{Kind::Blocked, Reason::Pinned})) << "what it was at first";
  EXPECT_EQ(untested[1].why.kind, Kind::Unplugged);
  EXPECT_EQ(untested[2].why, (Hindrance{Kind::Blocked, Reason::Offline}));
  EXPECT_EQ(untested[2].range, at(12, 8));
}

TEST(MemoryBook, RecallsWhatIsKnown) {
  MemoryBook book(some_memory(), subblock);
  KnownMemory known;
  known.good = {at(0, 8), at(100, 8)};
  known.bad = {{at(12, 4), {PhysAddr{base + 13 * mib}}}, {at(32, 4), {}}};
  book.recall(known);
  EXPECT_EQ(book.requested(), Bytes{52 * mib}) << "also what is out for being bad";
  EXPECT_EQ(book.tested(), Bytes{16 * mib});
  EXPECT_EQ(book.chunks(Bytes{64 * mib}), (std::vector{at(8, 4), at(16, 16), at(48, 16)}));
  ASSERT_EQ(book.unplugged().size(), 1U);
  EXPECT_EQ(book.unplugged()[0].range, at(36, 4));
  const KnownMemory again = book.known();
  EXPECT_EQ(again.good, std::vector{at(0, 8)});
  ASSERT_EQ(again.bad.size(), 2U);
  EXPECT_EQ(again.bad[0].pages, std::vector{PhysAddr{base + 13 * mib}});
}

TEST(MemoryBook, RecallsWholeSubblocksOfAnotherSize) {
  MemoryBook book(plugged(at(0, 16)), subblock);
  KnownMemory known;
  known.good = {at(2, 8)};
  known.bad = {{at(14, 2), {PhysAddr{base + 14 * mib}}}};
  book.recall(known);
  EXPECT_EQ(book.known().good, std::vector{at(4, 4)});
  ASSERT_EQ(book.bad_stretches().size(), 1U);
  EXPECT_EQ(book.bad_stretches()[0].range, at(12, 4));
}

}  // namespace
}  // namespace memplug
