// SPDX-License-Identifier: MIT
// The reading verbs, status and list, against the fake module.
#include <gtest/gtest.h>

#include <cerrno>
#include <nlohmann/json.hpp>

#include "fake_channel.hpp"
#include "memplug.h"
#include "memplug/failure.hpp"
#include "sysfs_tree.hpp"
#include "verbs/list.hpp"
#include "verbs/status.hpp"
#include "verbs/version.hpp"

namespace memplug::test {
namespace {

class ReadingVerbs : public testing::Test {
 protected:
  nlohmann::json status_json() {
    captured_.output.style.json = true;
    EXPECT_EQ(run_status({}, opener(module_), captured_.output), ExitStatus::Success);
    return nlohmann::json::parse(captured_.data());
  }

  nlohmann::json list_json() {
    captured_.output.style.json = true;
    EXPECT_EQ(run_list({}, opener(module_), captured_.output), ExitStatus::Success);
    return nlohmann::json::parse(captured_.data());
  }

  FakeModule module_;
  Captured captured_;
};

TEST_F(ReadingVerbs, NeedNoWriteAccess) {
  static_cast<void>(status_json());
  EXPECT_EQ(module_.opened_for, Access::Read);
  module_.opened_for.reset();
  static_cast<void>(run_list({}, opener(module_), captured_.output));
  EXPECT_EQ(module_.opened_for, Access::Read);
}

TEST_F(ReadingVerbs, StatusAddsUp) {
  module_.info.out_unplugged_size = gib;
  module_.nodes = {{0, 0, 2 * gib, gib}, {1, 0, 2 * gib, 0}};
  const auto json = status_json();
  EXPECT_EQ(json.at("managed_size"), 4 * gib);
  EXPECT_EQ(json.at("plugged_size"), 3 * gib);
  EXPECT_EQ(json.at("nodes").at(0).at("plugged_size"), gib);
  EXPECT_EQ(json.at("nodes").at(1).at("plugged_size"), 2 * gib);
  EXPECT_EQ(json.at("target_size"), nullptr);
  EXPECT_EQ(json.at("tool_version"), MEMPLUG_VERSION);
  EXPECT_FALSE(json.at("kernel").get<std::string>().empty());
}

TEST_F(ReadingVerbs, StatusIsReadAgainUntilItsPartsBelongTogether) {
  module_.before_list = [this](int earlier) {
    if (earlier < 2) {
      ++module_.info.out_generation;
    } else if (earlier == 2) {
      module_.info.out_unplugged_size = gib;
    }
  };
  // The third round reads INFO before the last change, which kept the generation.
  static_cast<void>(status_json());
  EXPECT_EQ(module_.list_calls, 3);
  EXPECT_EQ(module_.info_calls, 3);
}

TEST_F(ReadingVerbs, StatusThatNeverSettlesIsAnError) {
  module_.before_list = [this](int /*earlier*/) { ++module_.info.out_generation; };
  try {
    static_cast<void>(run_status({}, opener(module_), captured_.output));
    FAIL() << "a status of different moments was reported";
  } catch (const Failure& error) {
    EXPECT_EQ(error.code().value(), EAGAIN);
  }
  EXPECT_EQ(captured_.data(), "");
}

TEST_F(ReadingVerbs, StatusWithNothingManagedSaysWhy) {
  module_.info.out_managed_size = 0;
  module_.nodes.clear();
  const auto json = status_json();
  EXPECT_EQ(json.at("nodes"), nlohmann::json::array());
  EXPECT_NE(captured_.prose().find("ZONE_DMA32"), std::string::npos) << captured_.prose();
}

TEST_F(ReadingVerbs, StatusWithSomethingManagedSaysNothingElse) {
  static_cast<void>(status_json());
  EXPECT_EQ(captured_.prose(), "");
}

TEST_F(ReadingVerbs, StatusNamesOtherDriversOnStderrToo) {
  const SysfsTree sysfs;
  sysfs.bind("virtio/drivers/virtio_mem", "virtio0");
  sysfs.bind("vmbus/drivers/hv_balloon", "1eccfd72-4b41-45ef-b73a-4a6e44c12924");
  module_.sysfs = sysfs.root();
  const auto json = status_json();
  EXPECT_EQ(json.at("others"), nlohmann::json({"virtio_mem", "hv_balloon"}));
  EXPECT_NE(captured_.prose().find("memplugctl: status: virtio_mem and hv_balloon are at work"),
            std::string::npos)
      << captured_.prose();
}

TEST_F(ReadingVerbs, StatusSaysWhatToDoAboutMemoryInAnotherZone) {
  module_.info.out_wanted_size = 256 * mib;
  module_.info.out_wanted_other_zone_size = 128 * mib;
  const auto json = status_json();
  EXPECT_EQ(json.at("wanted_size"), 256 * mib);
  EXPECT_EQ(json.at("wanted_other_zone_size"), 128 * mib);
  EXPECT_NE(captured_.prose().find("128 MiB of what is wanted"), std::string::npos)
      << captured_.prose();
  EXPECT_NE(captured_.prose().find("online_kernel"), std::string::npos) << captured_.prose();
}

TEST_F(ReadingVerbs, QuietStatusSaysNothing) {
  const SysfsTree sysfs;
  sysfs.bind("virtio/drivers/virtio_mem", "virtio0");
  module_.sysfs = sysfs.root();
  module_.info.out_wanted_other_zone_size = 128 * mib;
  captured_.output.style.quiet = true;
  static_cast<void>(status_json());
  EXPECT_EQ(captured_.prose(), "");
}

TEST_F(ReadingVerbs, ListOfNothingIsAnEmptyArray) {
  EXPECT_EQ(list_json().at("ranges"), nlohmann::json::array());
}

TEST_F(ReadingVerbs, ListWithheldAddressesAreNull) {
  module_.ranges = {{0, 4 * mib, 0, 0, 0, 0}};
  module_.list_flags = MEMPLUG_OUT_WITHHELD;
  const auto range = list_json().at("ranges").at(0);
  EXPECT_EQ(range.at("range"), nullptr);
  EXPECT_EQ(range.at("start"), nullptr);
  EXPECT_EQ(range.at("size"), 4 * mib);
}

TEST_F(ReadingVerbs, ListNamesTheHolderOfATiedRangeOnly) {
  module_.ranges = {{4 * gib, 4 * mib, MEMPLUG_RANGE_TIED, 0, 321, 0},
                    {5 * gib, 4 * mib, 0, 0, 0, 0}};
  const auto ranges = list_json().at("ranges");
  EXPECT_EQ(ranges.at(0).at("held_by"), 321);
  EXPECT_EQ(ranges.at(1).at("held_by"), nullptr);
}

TEST_F(ReadingVerbs, VersionsOfBoth) {
  EXPECT_EQ(run_version(opener(module_), captured_.output), ExitStatus::Success);
  EXPECT_EQ(captured_.data(), "memplugctl " MEMPLUG_VERSION ", ABI 1\nmodule     0.1.0, ABI 1\n");
  EXPECT_EQ(captured_.prose(), "");
}

TEST_F(ReadingVerbs, VersionWithoutAModule) {
  captured_.output.style.json = true;
  const OpenDevice none = [](Access) -> Device { throw Failure(ENOENT, "no module", ""); };
  EXPECT_EQ(run_version(none, captured_.output), ExitStatus::Success);
  const auto json = nlohmann::json::parse(captured_.data());
  EXPECT_EQ(json.at("tool_version"), MEMPLUG_VERSION);
  EXPECT_EQ(json.at("tool_abi"), MEMPLUG_ABI_VERSION);
  EXPECT_EQ(json.at("module_version"), nullptr);
  EXPECT_EQ(json.at("module_abi"), nullptr);
  EXPECT_NE(captured_.prose().find("no module can be asked: no module"), std::string::npos);
}

class ListOptionsTest : public ReadingVerbs {
 protected:
  ListOptionsTest() {
    module_.ranges = {{4 * gib, 4 * mib, MEMPLUG_RANGE_TIED, 0, 321, 0},
                      {5 * gib, 8 * mib, 0, 0, 0, 0},
                      {6 * gib, 4 * mib, MEMPLUG_RANGE_MAPPED, 1, 0, 0}};
  }

  std::string list(const ListOptions& options) {
    Captured captured;
    EXPECT_EQ(run_list(options, opener(module_), captured.output), ExitStatus::Success);
    return captured.data();
  }
};

TEST_F(ListOptionsTest, ColumnsWithoutPadding) {
  EXPECT_EQ(list({.columns = "start,end,NODE", .raw = true}),
            "START END NODE\n"
            "0x0000000100000000 0x00000001003fffff 0\n"
            "0x0000000140000000 0x00000001407fffff 0\n"
            "0x0000000180000000 0x00000001803fffff 1\n");
}

TEST_F(ListOptionsTest, OnlyTheRows) {
  EXPECT_EQ(list({.columns = "SIZE,STATE", .no_headings = true}),
            "4 MiB  tied:321\n"
            "8 MiB  ordinary\n"
            "4 MiB  mapped\n");
}

TEST_F(ListOptionsTest, OfANodeAndInAState) {
  EXPECT_EQ(list({.node = "1", .columns = "RANGE", .no_headings = true}),
            "0x0000000180000000-0x00000001803fffff\n");
  EXPECT_EQ(list({.state = "tied", .columns = "SIZE,STATE", .raw = true}),
            "SIZE STATE\n4MiB tied:321\n");
  EXPECT_EQ(list({.node = "1", .state = "tied", .no_headings = true}), "");
  // What is shown is what is summed up.
  EXPECT_NE(list({.node = "0"}).find("unplugged: 12 MiB\n"), std::string::npos);
}

TEST_F(ListOptionsTest, TheSameInJson) {
  captured_.output.style.json = true;
  EXPECT_EQ(run_list({.state = "mapped"}, opener(module_), captured_.output), ExitStatus::Success);
  const auto ranges = nlohmann::json::parse(captured_.data()).at("ranges");
  ASSERT_EQ(ranges.size(), 1U);
  EXPECT_EQ(ranges.at(0).at("start"), 6 * gib);
}

TEST_F(ListOptionsTest, WhatCannotBeIsAUsageError) {
  for (const ListOptions& options :
       {ListOptions{.columns = "RANGE,SIZES"}, ListOptions{.columns = ""},
        ListOptions{.columns = "RANGE,"}, ListOptions{.state = "held"}, ListOptions{.node = "x"}}) {
    EXPECT_THROW(static_cast<void>(run_list(options, opener(module_), captured_.output)),
                 UsageError);
    EXPECT_FALSE(module_.opened_for.has_value());
  }
  captured_.output.style.json = true;
  for (const ListOptions& options : {ListOptions{.columns = "RANGE"}, ListOptions{.raw = true},
                                     ListOptions{.no_headings = true}}) {
    EXPECT_THROW(static_cast<void>(run_list(options, opener(module_), captured_.output)),
                 UsageError);
  }
}

}  // namespace
}  // namespace memplug::test
