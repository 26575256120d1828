// SPDX-License-Identifier: MIT
// What a survey comes to, and the verbs that show it: scan, explain and map.
#include "look/survey.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cerrno>
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>

#include "fake_channel.hpp"
#include "look/map.hpp"
#include "memplug/failure.hpp"
#include "report/report.hpp"
#include "temporary_folder.hpp"
#include "verbs/explain.hpp"
#include "verbs/map.hpp"
#include "verbs/scan.hpp"

namespace memplug::test {
namespace {

constexpr std::uint64_t subblock = 4 * mib;
constexpr std::uint32_t pages = 1024;

memplug_subblock record(std::uint64_t start, std::uint64_t length, std::uint32_t state) {
  memplug_subblock record{};
  record.start = start;
  record.length = length;
  record.state = state;
  record.node = state == MEMPLUG_SUBBLOCK_UNMANAGED ? -1 : 0;
  return record;
}

memplug_subblock free_one(std::uint64_t start) {
  memplug_subblock one = record(start, subblock, MEMPLUG_SUBBLOCK_PLUGGED);
  one.free = pages;
  return one;
}

memplug_subblock used_one(std::uint64_t start, std::uint32_t movable) {
  memplug_subblock one = free_one(start);
  one.free = pages - movable;
  one.movable = movable;
  one.anon = movable;
  return one;
}

memplug_subblock blocked_one(std::uint64_t start, std::uint32_t reason, bool certain = true) {
  memplug_subblock one = free_one(start);
  one.free = pages - 1;
  one.pfn = start / 4096 + 7;
  one.reason = reason;
  one.flags = certain ? MEMPLUG_SUBBLOCK_CERTAIN : 0;
  return one;
}

memplug_subblock unmanaged(std::uint64_t start, std::uint64_t length, std::uint32_t why) {
  memplug_subblock stretch = record(start, length, MEMPLUG_SUBBLOCK_UNMANAGED);
  stretch.why = why;
  return stretch;
}

// 2 GiB of ZONE_DMA32, a hole, then 32 MiB on node 0 and 8 MiB on node 1.
std::vector<memplug_subblock> some_memory() {
  const std::uint64_t first = 4 * gib;
  std::vector<memplug_subblock> memory{
      unmanaged(0, 2 * gib, MEMPLUG_BAD_ZONE),
      unmanaged(2 * gib, 2 * gib, MEMPLUG_BAD_ABSENT),
      blocked_one(first, MEMPLUG_REASON_UNMOVABLE),
      free_one(first + subblock),
      used_one(first + 2 * subblock, 100),
      free_one(first + 3 * subblock),
      blocked_one(first + 4 * subblock, MEMPLUG_REASON_PINNED, false),
      record(first + 5 * subblock, 2 * subblock, MEMPLUG_SUBBLOCK_UNPLUGGED),
      free_one(first + 7 * subblock),
      free_one(first + 8 * subblock),
      blocked_one(first + 9 * subblock, MEMPLUG_REASON_BUSY, false),
      unmanaged(first + 10 * subblock, (std::uint64_t{1} << 52U) - first - 10 * subblock,
                MEMPLUG_BAD_ABSENT)};
  memory[9].node = 1;
  memory[10].node = 1;
  return memory;
}

class Surveys : public testing::Test {
 protected:
  Surveys() { module_.subblocks = some_memory(); }

  nlohmann::json scan(const ScanOptions& options = {}) {
    captured_.output.style.json = true;
    EXPECT_EQ(run_scan(options, opener(module_), surroundings_, captured_.output),
              ExitStatus::Success);
    return nlohmann::json::parse(captured_.data());
  }

  std::string map_text(const MapOptions& options = {}, Canvas canvas = {}) {
    EXPECT_EQ(run_map(options, opener(module_), canvas, captured_.output), ExitStatus::Success);
    return captured_.data();
  }

  template <typename Run>
  void expect_usage_error(Run run, const std::string& words) {
    try {
      run();
      FAIL() << "no usage error: " << words;
    } catch (const UsageError& error) {
      EXPECT_NE(std::string(error.what()).find(words), std::string::npos) << error.what();
    }
  }

  FakeModule module_;
  Captured captured_;
  Surroundings surroundings_{"/nonexistent"};
};

TEST_F(Surveys, AreReadInPortionsAndJoined) {
  Device device(make_channel(module_));
  module_.subblocks = {unmanaged(0, gib, MEMPLUG_BAD_ZONE), unmanaged(gib, gib, MEMPLUG_BAD_ZONE),
                       free_one(2 * gib), free_one(2 * gib + subblock)};
  module_.survey_portion = 1;
  const auto stretches = device.survey({PhysAddr{0}, Bytes{2 * gib + 2 * subblock}});
  EXPECT_EQ(module_.survey_calls, 4);
  ASSERT_EQ(stretches.size(), 3U);
  EXPECT_EQ(stretches[0].range.size, Bytes{2 * gib});
  EXPECT_EQ(stretches[0].why, BadWhy::Zone);
  EXPECT_FALSE(stretches[0].node);
  EXPECT_EQ(stretches[2].range.start, PhysAddr{2 * gib + subblock});
}

TEST_F(Surveys, GoOnAfterASignal) {
  Device device(make_channel(module_));
  module_.answer_survey = [](int earlier) { return earlier == 0 ? EINTR : 0; };
  EXPECT_EQ(device.survey(all_memory()).size(), module_.subblocks.size());
}

TEST_F(Surveys, ThatFailAreErrors) {
  module_.answer_survey = [](int /*earlier*/) { return EPERM; };
  EXPECT_THROW(static_cast<void>(run_scan({}, opener(module_), surroundings_, captured_.output)),
               std::system_error);
}

TEST_F(Surveys, OfAModuleThatHasNoneSaySo) {
  module_.info.out_features &= ~std::uint64_t{MEMPLUG_FEATURE_SURVEY};
  EXPECT_THROW(static_cast<void>(run_scan({}, opener(module_), surroundings_, captured_.output)),
               Failure);
  EXPECT_EQ(module_.survey_calls, 0);
}

TEST_F(Surveys, ScanAddsUp) {
  const auto json = scan();
  EXPECT_EQ(json.at("plugged_size"), 8 * subblock);
  EXPECT_EQ(json.at("unplugged_size"), 2 * subblock);
  EXPECT_EQ(json.at("free_size"), 4 * subblock);
  EXPECT_EQ(json.at("movable_size"), subblock);
  EXPECT_EQ(json.at("maybe_size"), 2 * subblock);
  EXPECT_EQ(json.at("blocked_size"), subblock);
  EXPECT_EQ(json.at("to_move_size"), 100 * 4096);
  EXPECT_EQ(json.at("unmanaged"), nlohmann::json::parse(R"([{"why":"zone","size":2147483648}])"));
  ASSERT_EQ(json.at("reasons").size(), 3U);
  EXPECT_EQ(json.at("reasons").at(0),
            nlohmann::json({{"reason", "unmovable"}, {"size", subblock}}));
}

TEST_F(Surveys, ScanAsksTheModuleWhatOneRequestWouldGet) {
  module_.answer = done_with(3 * subblock, MEMPLUG_STOP_FLOOR);
  const auto json = scan();
  ASSERT_TRUE(module_.request);
  EXPECT_EQ(module_.operation, Operation::Unplug);
  EXPECT_EQ(module_.request->flags, std::uint32_t{MEMPLUG_REQ_DRY_RUN});
  EXPECT_EQ(module_.request->length, 8 * subblock);
  EXPECT_EQ(json.at("unpluggable_size"), 3 * subblock);
  EXPECT_EQ(json.at("stopped_by"), "floor");
  EXPECT_NE(captured_.prose().find("stopped by the floor"), std::string::npos) << captured_.prose();
}

TEST_F(Surveys, ScanAsksNothingWhenNothingIsPlugged) {
  module_.subblocks = {unmanaged(0, std::uint64_t{1} << 52U, MEMPLUG_BAD_ABSENT)};
  EXPECT_EQ(scan().at("unpluggable_size"), 0);
  EXPECT_FALSE(module_.request);
}

TEST_F(Surveys, TheLargestRunIsOfOneNodeAndAligned) {
  // The run of node 0 that is not cut short by anything: free, used, free.
  auto largest = scan().at("largest");
  ASSERT_EQ(largest.size(), 2U);
  EXPECT_EQ(largest.at(0).at("start"), 4 * gib + subblock);
  EXPECT_EQ(largest.at(0).at("size"), 3 * subblock);
  EXPECT_EQ(largest.at(1).at("node"), 1);
  // What is in motion is no obstacle for long.
  EXPECT_EQ(largest.at(1).at("size"), 2 * subblock);
}

TEST_F(Surveys, TheLargestRunBeginsWhereItMay) {
  ScanOptions options;
  options.align = "8M";
  const auto largest = scan(options).at("largest");
  EXPECT_EQ(largest.at(0).at("start"), 4 * gib + 2 * subblock);
  EXPECT_EQ(largest.at(0).at("size"), 2 * subblock);
}

// 8 MiB below 4 GiB that are managed, and 12 MiB above that follow at once.
std::vector<memplug_subblock> both_zones() {
  const std::uint64_t border = 4 * gib;
  std::vector<memplug_subblock> memory{
      unmanaged(0, border - 2 * subblock, MEMPLUG_BAD_ZONE),
      free_one(border - 2 * subblock),
      free_one(border - subblock),
      free_one(border),
      used_one(border + subblock, 100),
      record(border + 2 * subblock, subblock, MEMPLUG_SUBBLOCK_UNPLUGGED)};
  memory[1].flags |= MEMPLUG_SUBBLOCK_LOW;
  memory[2].flags |= MEMPLUG_SUBBLOCK_LOW;
  return memory;
}

TEST_F(Surveys, TheLargestRunCrossesNoBorderOfZones) {
  module_.subblocks = both_zones();
  const auto largest = scan().at("largest");
  ASSERT_EQ(largest.size(), 1U);
  EXPECT_EQ(largest.at(0).at("start"), 4 * gib - 2 * subblock);
  EXPECT_EQ(largest.at(0).at("size"), 2 * subblock);
}

TEST_F(Surveys, ScanOfAZoneCountsThatOneAndAsksForIt) {
  module_.subblocks = both_zones();
  module_.info.out_features |= MEMPLUG_FEATURE_ZONES;
  module_.info.out_low_managed_size = 2 * subblock;
  const auto low = scan({.zone = "dma32"});
  EXPECT_EQ(low.at("plugged_size"), 2 * subblock);
  EXPECT_EQ(low.at("unplugged_size"), 0);
  EXPECT_TRUE(low.at("unmanaged").empty()) << low;
  EXPECT_EQ(low.at("largest").at(0).at("start"), 4 * gib - 2 * subblock);
  ASSERT_TRUE(module_.request);
  EXPECT_EQ(module_.request->length, 2 * subblock);
  EXPECT_EQ(module_.request->flags, std::uint32_t{MEMPLUG_REQ_DRY_RUN | MEMPLUG_REQ_LOW});
}

TEST_F(Surveys, ScanOfZoneNormalLeavesOutWhatIsBelow) {
  module_.subblocks = both_zones();
  module_.info.out_features |= MEMPLUG_FEATURE_ZONES;
  const auto normal = scan({.zone = "normal"});
  EXPECT_EQ(normal.at("plugged_size"), 2 * subblock);
  EXPECT_EQ(normal.at("unplugged_size"), subblock);
  EXPECT_EQ(normal.at("largest").at(0).at("start"), 4 * gib);
  ASSERT_TRUE(module_.request);
  EXPECT_EQ(module_.request->flags, std::uint32_t{MEMPLUG_REQ_DRY_RUN | MEMPLUG_REQ_NORMAL});
}

TEST_F(Surveys, ScanOfAZoneThatIsNotManagedIsRefusedBeforeItLooks) {
  module_.info.out_features |= MEMPLUG_FEATURE_ZONES;
  EXPECT_THROW(static_cast<void>(
                   run_scan({.zone = "dma32"}, opener(module_), surroundings_, captured_.output)),
               Failure);
  EXPECT_EQ(module_.survey_calls, 0);
}

TEST_F(Surveys, OptionsThatCantBeAreUsageErrors) {
  const auto scan_with = [this](const char* within, const char* align) {
    return [this, within, align] {
      ScanOptions options;
      if (within != nullptr) {
        options.within = within;
      }
      if (align != nullptr) {
        options.align = align;
      }
      static_cast<void>(run_scan(options, opener(module_), surroundings_, captured_.output));
    };
  };
  expect_usage_error(scan_with("64M", nullptr), "--within");
  expect_usage_error(scan_with(nullptr, "0"), "--align");
  expect_usage_error(scan_with(nullptr, "12M"), "--align");
  expect_usage_error(
      [this] {
        static_cast<void>(run_explain({}, opener(module_), {"", ""}, captured_.output));
      },
      "RANGE");
  for (const char* wrong :
       {"140000000", "pfn:x", "pfn:0xffffffffffffffff", "0x1-0xffffffffffffffff"}) {
    expect_usage_error(
        [this, wrong] {
          ExplainOptions options;
          options.range = wrong;
          static_cast<void>(run_explain(options, opener(module_), {"", ""}, captured_.output));
        },
        "");
  }
  EXPECT_EQ(captured_.data(), "");
}

TEST_F(Surveys, WhatIsOnlyLookedAtIsShownInWholeSubblocks) {
  captured_.output.style.json = true;
  for (const char* place :
       {"0x100000001", "pfn:0x100000", "pfn:1048577", "0x100000fff+4K", "0x100000000+0x1000"}) {
    Captured captured;
    captured.output.style.json = true;
    ExplainOptions options;
    options.range = place;
    EXPECT_EQ(run_explain(options, opener(module_), {"", ""}, captured.output),
              ExitStatus::Success);
    EXPECT_EQ(nlohmann::json::parse(captured.data()).at("range"),
              "0x0000000100000000-0x00000001003fffff")
        << place;
    EXPECT_NE(captured.prose().find("shown are whole subblocks: 0x0000000100000000-"),
              std::string::npos)
        << captured.prose();
  }
}

class PageFiles : public Surveys {
 protected:
  PageFiles() {
    std::ofstream flags(flags_, std::ios::binary);
    // Of the page frame that is in the way of the first subblock, relative to a small machine.
    std::array<std::uint64_t, 16> entries{};
    entries.at(7) = 1U << 7U | 1U << 15U;
    const auto bytes = std::bit_cast<std::array<char, sizeof(entries)>>(entries);
    flags.write(bytes.data(), bytes.size());
  }

  void write_owner(std::size_t at, const std::string& record) {
    std::ofstream owner(owner_, std::ios::binary);
    owner << std::string(at, '\0') << record;
  }

  const TemporaryFolder proc_;
  const std::string flags_ = proc_.root() + "/kpageflags";
  const std::string owner_ = proc_.root() + "/page_owner";
};

TEST_F(PageFiles, FlagsHaveNames) {
  const PageFacts facts(flags_, owner_);
  EXPECT_EQ(facts.flags(7), (std::vector<std::string_view>{"slab", "compound_head"}));
  EXPECT_EQ(facts.flags(0), std::vector<std::string_view>{});
  EXPECT_EQ(facts.flags(1000), std::nullopt);
  EXPECT_EQ(PageFacts("/nowhere", "/nowhere").flags(7), std::nullopt);
}

TEST_F(PageFiles, AnOwnerIsOfTheWholeAllocation) {
  const PageFacts facts(flags_, owner_);
  EXPECT_EQ(facts.owner(7), std::nullopt);
  // As x86 has it: what is at offset 3 tells of page frame 4.
  write_owner(3, "Page allocated via order 2, mask 0x0\nPFN 4 type Unmovable\n\n");
  const auto owner = facts.owner(7);
  ASSERT_TRUE(owner);
  EXPECT_NE(owner->find("order 2"), std::string::npos);
  EXPECT_NE(owner->back(), '\n');
  EXPECT_EQ(facts.owner(8), std::nullopt);
  // Newer kernels print it in hexadecimal; a page of an earlier allocation is not told.
  write_owner(4, "Page allocated via order 0, mask 0x0\nPFN 0x4 type Unmovable\n\n");
  EXPECT_TRUE(facts.owner(4));
  EXPECT_EQ(facts.owner(5), std::nullopt);
}

TEST_F(PageFiles, ExplainTellsAllOfIt) {
  module_.subblocks = {blocked_one(0, MEMPLUG_REASON_UNMOVABLE), used_one(subblock, 24),
                       unmanaged(2 * subblock, subblock, MEMPLUG_BAD_OFFLINE)};
  module_.subblocks[2].flags = MEMPLUG_SUBBLOCK_WANTED;
  ExplainOptions options;
  options.range = "0x0+12M";
  captured_.output.style.json = true;
  ASSERT_EQ(run_explain(options, opener(module_), {flags_, owner_}, captured_.output),
            ExitStatus::Success);
  const auto subblocks = nlohmann::json::parse(captured_.data()).at("subblocks");
  ASSERT_EQ(subblocks.size(), 3U);
  EXPECT_EQ(subblocks.at(0).at("outlook"), "blocked");
  EXPECT_EQ(subblocks.at(0).at("reason"), "unmovable");
  EXPECT_EQ(subblocks.at(0).at("pfn"), 7);
  EXPECT_EQ(subblocks.at(0).at("page_flags"), nlohmann::json({"slab", "compound_head"}));
  EXPECT_EQ(subblocks.at(0).at("page_owner"), nullptr);
  EXPECT_EQ(subblocks.at(1).at("outlook"), "movable");
  EXPECT_EQ(subblocks.at(1).at("movable_pages"), 24);
  EXPECT_EQ(subblocks.at(1).at("pfn"), nullptr);
  EXPECT_EQ(subblocks.at(2).at("state"), "unmanaged");
  EXPECT_EQ(subblocks.at(2).at("why"), "offline");
  EXPECT_EQ(subblocks.at(2).at("wanted"), true);
  EXPECT_EQ(subblocks.at(2).at("free_pages"), nullptr);
  const std::string prose = captured_.prose();
  EXPECT_NE(prose.find("memplugctl: explain: unmovable: kernel memory"), std::string::npos)
      << prose;
  EXPECT_NE(prose.find("memplugctl: explain: offline: its memory block"), std::string::npos)
      << prose;
}

TEST_F(Surveys, AMapShowsEachSubblockWhereThereIsRoom) {
  module_.subblocks.erase(module_.subblocks.begin());
  module_.subblocks.front() = unmanaged(0, 4 * gib, MEMPLUG_BAD_ABSENT);
  captured_.output.style.quiet = true;
  EXPECT_EQ(map_text(), "0x100000000  x.o.o##.\n0x102000000  .o\n");
}

TEST_F(Surveys, AMapSaysWhatItsLettersMean) {
  const std::string text = map_text();
  EXPECT_NE(text.find("# unplugged"), std::string::npos) << text;
  EXPECT_NE(text.find("node 0\n"), std::string::npos) << text;
  EXPECT_NE(text.find("node 1\n"), std::string::npos) << text;
  EXPECT_NE(text.find("not managed\n"), std::string::npos) << text;
  EXPECT_EQ(text.find('\033'), std::string::npos) << "colour that nobody asked for";
}

TEST_F(Surveys, AMapHonoursTheWidth) {
  for (const std::size_t width : {1U, 40U, 80U, 132U, 1000U}) {
    Captured captured;
    captured.output.style.quiet = true;
    EXPECT_EQ(run_map({}, opener(module_), {width, false}, captured.output), ExitStatus::Success);
    std::istringstream lines(captured.data());
    std::size_t longest = 0;
    for (std::string line; std::getline(lines, line);) {
      longest = std::max(longest, line.size());
    }
    EXPECT_LE(longest, std::max<std::size_t>(width, 21)) << width;
    EXPECT_GT(longest, 0U);
  }
}

TEST_F(Surveys, ColourEndsWithTheCellsThatHaveIt) {
  module_.subblocks = {free_one(0), record(subblock, subblock, MEMPLUG_SUBBLOCK_UNPLUGGED)};
  captured_.output.style.quiet = true;
  EXPECT_EQ(map_text({}, {80, true}), "0x0          \033[30;42m.\033[0m\033[97;44m#\033[0m\n");
}

TEST_F(Surveys, AnSvgHasATitleOnEachCell) {
  const TemporaryFolder folder;
  const std::string path = folder.root() + "/map.svg";
  MapOptions options;
  options.svg = path;
  EXPECT_EQ(map_text(options), "");
  std::ifstream file(path);
  std::stringstream svg;
  svg << file.rdbuf();
  const std::string text = svg.str();
  EXPECT_EQ(text.rfind("<?xml", 0), 0U);
  EXPECT_NE(text.find("<title>0x0000000101400000-0x00000001017fffff: unplugged 4 MiB</title>"),
            std::string::npos);
  EXPECT_EQ(text.find("http", text.find("http://www.w3.org/2000/svg") + 1), std::string::npos)
      << "it fetches something";
}

TEST_F(Surveys, AnSvgThatCantBeWrittenIsAFailure) {
  MapOptions options;
  options.svg = "/nowhere/map.svg";
  EXPECT_THROW(static_cast<void>(run_map(options, opener(module_), {}, captured_.output)), Failure);
}

TEST_F(Surveys, AMapAsJsonHasItsCells) {
  captured_.output.style.json = true;
  const auto json = nlohmann::json::parse(map_text());
  EXPECT_EQ(json.at("cell_size"), subblock);
  EXPECT_EQ(json.at("cells").at(0).at("shade"), "unmanaged");
  EXPECT_EQ(json.at("cells").back().at("shade"), "in_use");
  EXPECT_EQ(json.at("cells").back().at("node"), 1);
}

TEST(Cells, ShowWhatMostOfThemIs) {
  const std::vector<Stretch> stretches = [] {
    std::vector<Stretch> memory(3);
    memory[0].range = {PhysAddr{0}, Bytes{subblock}};
    memory[0].state = SubblockState::Plugged;
    memory[1].range = {PhysAddr{subblock}, Bytes{2 * subblock}};
    memory[1].state = SubblockState::Unplugged;
    memory[2].range = {PhysAddr{3 * subblock}, Bytes{subblock}};
    memory[2].state = SubblockState::Plugged;
    for (Stretch& stretch : memory) {
      stretch.node = 0;
    }
    return memory;
  }();
  const Map one = draw_map(stretches, Bytes{subblock}, 1);
  EXPECT_EQ(one.cell, Bytes{4 * subblock});
  ASSERT_EQ(one.sections.size(), 1U);
  ASSERT_EQ(one.sections[0].cells.size(), 1U);
  // Half and half: what is unplugged is what people look for.
  EXPECT_EQ(one.sections[0].cells[0].shade(), Shade::Unplugged);
  const Map two = draw_map(stretches, Bytes{subblock}, 2);
  EXPECT_EQ(two.sections[0].cells.size(), 2U);
}

TEST(Cells, HolesAreShownIfTheyAreSmall) {
  std::vector<Stretch> memory(3);
  memory[0].range = {PhysAddr{0}, Bytes{subblock}};
  memory[0].state = SubblockState::Plugged;
  memory[0].node = 0;
  memory[1].range = {PhysAddr{subblock}, Bytes{2 * subblock}};
  memory[1].why = BadWhy::Absent;
  memory[2].range = {PhysAddr{3 * subblock}, Bytes{subblock}};
  memory[2].state = SubblockState::Plugged;
  memory[2].node = 0;
  const Map small = draw_map(memory, Bytes{subblock}, 100);
  ASSERT_EQ(small.sections.size(), 1U);
  EXPECT_EQ(small.sections[0].cells.size(), 4U);
  EXPECT_EQ(small.sections[0].cells[1].shade(), Shade::Absent);
  memory[1].range.size = Bytes{20 * subblock};
  memory[2].range.start = PhysAddr{21 * subblock};
  EXPECT_EQ(draw_map(memory, Bytes{subblock}, 100).sections.size(), 2U);
}

}  // namespace
}  // namespace memplug::test
