// SPDX-License-Identifier: MIT
// With vm.overcommit_memory=2 no verb asks for memory that is promised to processes already, and
// each says so; --force asks all the same.
#include "machine/commit_limit.hpp"

#include <cerrno>
#include <nlohmann/json.hpp>

#include "fake_channel.hpp"
#include "memplug/failure.hpp"
#include "temporary_folder.hpp"
#include "verbs/scan.hpp"
#include "verbs/target.hpp"
#include "verbs/unplug.hpp"

namespace memplug::test {
namespace {

class CommitLimitTest : public testing::Test {
 public:
  // Half of the memory can be promised, and 3 GiB are; 136 MiB are kept.
  CommitLimitTest() {
    set("overcommit_memory", "2");
    set("overcommit_ratio", "50");
    set("overcommit_kbytes", "0");
    set("admin_reserve_kbytes", "8192");
    set("user_reserve_kbytes", "131072");
    promise(4 * gib, 3 * gib);
  }

 protected:
  void set(const std::string& name, const std::string& value) const {
    tree_.write("/proc/sys/vm/" + name, value + "\n");
  }
  void promise(std::uint64_t limit, std::uint64_t committed) const {
    tree_.write("/proc/meminfo",
                "MemTotal:        8388608 kB\nCommitLimit:     " + std::to_string(limit / 1024) +
                    " kB\nCommitted_AS:    " + std::to_string(committed / 1024) + " kB\n");
  }
  [[nodiscard]] std::optional<std::uint64_t> room() const {
    const auto room = CommitLimit(tree_.root()).room();
    return room ? std::optional(room->value) : std::nullopt;
  }
  nlohmann::json unplug(const UnplugOptions& options, ExitStatus expected) {
    Captured captured;
    captured.output.style.json = true;
    module_.request.reset();
    EXPECT_EQ(run_unplug(options, opener(module_), surroundings(), captured.output), expected);
    prose_ = captured.prose();
    return nlohmann::json::parse(captured.data());
  }
  [[nodiscard]] Surroundings surroundings() const { return Surroundings(tree_.root()); }
  [[nodiscard]] bool said(const std::string& text) const {
    return prose_.find(text) != std::string::npos;
  }

  // What of it can go and leaves 136 MiB of 1 GiB, at two bytes of memory for one of the limit.
  static constexpr std::uint64_t most = 1776 * mib;
  TemporaryFolder tree_;
  FakeModule module_;
  std::string prose_;
};

TEST_F(CommitLimitTest, RoomIsWhatTheLimitFallsBy) {
  EXPECT_EQ(room(), most);
  set("overcommit_ratio", "100");
  EXPECT_EQ(room(), 888 * mib);
  set("user_reserve_kbytes", "0");
  set("admin_reserve_kbytes", "0");
  EXPECT_EQ(room(), 1024 * mib);
  promise(4 * gib, 5 * gib);
  EXPECT_EQ(room(), 0U);
}

TEST_F(CommitLimitTest, ThereIsNoneElsewhere) {
  struct Setting {
    const char* name;
    const char* other;
    const char* usual;
  };
  for (const auto& [name, other, usual] :
       {Setting{"overcommit_memory", "0", "2"}, Setting{"overcommit_memory", "1", "2"},
        Setting{"overcommit_ratio", "0", "50"}, Setting{"overcommit_kbytes", "1", "0"}}) {
    set(name, other);
    EXPECT_EQ(room(), std::nullopt) << name << " " << other;
    set(name, usual);
    EXPECT_EQ(room(), most);
  }
  tree_.remove("/proc/meminfo");
  EXPECT_EQ(room(), std::nullopt);
}

TEST_F(CommitLimitTest, SizeIsAskedForAsFarAsThereIsRoom) {
  module_.answer = done_with(most, MEMPLUG_STOP_NONE);
  const auto json = unplug({.what = "3G"}, ExitStatus::Partial);
  ASSERT_TRUE(module_.request);
  EXPECT_EQ(module_.request->length, most);
  EXPECT_EQ(json["requested_size"], 3 * gib);
  EXPECT_EQ(json["done_size"], most);
  EXPECT_EQ(json["shortfall"], 3 * gib - most);
  EXPECT_EQ(json["stopped_by"], "commit_limit");
  EXPECT_TRUE(said("commit limit") && said("Committed_AS") && said("--force")) << prose_;
}

TEST_F(CommitLimitTest, WhatTheModuleSaysOfTheRestStays) {
  module_.answer = done_with(64 * mib, MEMPLUG_STOP_FLOOR);
  EXPECT_EQ(unplug({.what = "3G"}, ExitStatus::Partial)["stopped_by"], "floor");
}

TEST_F(CommitLimitTest, WhatFitsIsNoMatter) {
  module_.answer = done_with(64 * mib, MEMPLUG_STOP_NONE);
  EXPECT_EQ(unplug({.what = "64M"}, ExitStatus::Success)["stopped_by"], nullptr);
  EXPECT_EQ(prose_, "");
}

TEST_F(CommitLimitTest, NoRoomAsksForNothing) {
  promise(4 * gib, 4 * gib);
  const auto json = unplug({.what = "64M"}, ExitStatus::Failure);
  EXPECT_FALSE(module_.request);
  EXPECT_EQ(json["stopped_by"], "commit_limit");
  EXPECT_EQ(json["shortfall"], 64 * mib);
}

TEST_F(CommitLimitTest, AllOrNothingIsNothing) {
  EXPECT_EQ(unplug({.what = "3G", .exact = true}, ExitStatus::Failure)["done_size"], 0);
  EXPECT_FALSE(module_.request);
  EXPECT_EQ(unplug({.what = "3G", .contiguous = true}, ExitStatus::Failure)["done_size"], 0);
  EXPECT_FALSE(module_.request);
}

TEST_F(CommitLimitTest, RangeIsAForecastFirst) {
  module_.answer = [](memplug_request& request) {
    EXPECT_NE(request.flags & MEMPLUG_REQ_DRY_RUN, 0U) << "it was asked for";
    request.out_requested = request.length;
    // What is in the way may go away.
    request.out_done = 0;
    request.out_stop = MEMPLUG_STOP_EXHAUSTED;
    request.out_already = gib;
    return 0;
  };
  for (const bool exact : {false, true}) {
    const auto json = unplug({.what = "0x100000000+4G", .exact = exact}, ExitStatus::Partial);
    EXPECT_EQ(json["done_size"], 0);
    EXPECT_EQ(json["already_size"], gib);
    EXPECT_EQ(json["stopped_by"], "commit_limit");
  }
  // Most of it is out already.
  bool asked = false;
  module_.answer = [&asked](memplug_request& request) {
    asked = (request.flags & MEMPLUG_REQ_DRY_RUN) == 0;
    request.out_requested = request.length;
    request.out_done = gib;
    request.out_already = request.length - gib;
    return 0;
  };
  EXPECT_EQ(unplug({.what = "0x100000000+4G"}, ExitStatus::Success)["done_size"], gib);
  EXPECT_TRUE(asked);
}

TEST_F(CommitLimitTest, DryRunSaysTheSame) {
  module_.answer = done_with(most, MEMPLUG_STOP_NONE);
  const auto json = unplug({.what = "3G", .dry_run = true}, ExitStatus::Partial);
  ASSERT_TRUE(module_.request);
  EXPECT_NE(module_.request->flags & MEMPLUG_REQ_DRY_RUN, 0U);
  EXPECT_EQ(json["stopped_by"], "commit_limit");
}

TEST_F(CommitLimitTest, ForceAsksForAllOfIt) {
  module_.answer = done_with(3 * gib, MEMPLUG_STOP_NONE);
  EXPECT_EQ(unplug({.what = "3G", .force = true}, ExitStatus::Success)["stopped_by"], nullptr);
  ASSERT_TRUE(module_.request);
  EXPECT_EQ(module_.request->length, 3 * gib);
}

TEST_F(CommitLimitTest, TargetBelowIsRefused) {
  module_.info.out_managed_size = 8 * gib;
  module_.info.out_unplugged_size = 0;
  Captured captured;
  const auto run = [&](const TargetOptions& options) {
    return run_target(options, opener(module_), surroundings(), captured.output);
  };
  try {
    static_cast<void>(run({.what = "4G"}));
    ADD_FAILURE() << "it was set";
  } catch (const Failure& error) {
    EXPECT_EQ(error.code().value(), ENOSPC);
    EXPECT_NE(std::string(error.what()).find("Committed_AS"), std::string::npos) << error.what();
    EXPECT_NE(error.next_step().find("6416M"), std::string::npos) << error.next_step();
  }
  EXPECT_FALSE(module_.target);
  EXPECT_EQ(run({.what = "4G", .force = true}), ExitStatus::Success);
  EXPECT_TRUE(module_.target);
  EXPECT_EQ(run({.what = "7G"}), ExitStatus::Success);
  EXPECT_EQ(run({.what = "none"}), ExitStatus::Success);
}

TEST_F(CommitLimitTest, ScanForecastsNoMore) {
  module_.answer = done_with(3 * gib, MEMPLUG_STOP_NONE);
  memplug_subblock free{};
  free.start = 4 * gib;
  free.length = 4 * gib;
  free.state = MEMPLUG_SUBBLOCK_PLUGGED;
  free.free = 4 * gib / 4096;
  module_.subblocks = {free};
  Captured captured;
  captured.output.style.json = true;
  EXPECT_EQ(run_scan({}, opener(module_), surroundings(), captured.output), ExitStatus::Success);
  const auto json = nlohmann::json::parse(captured.data());
  EXPECT_EQ(json["unpluggable_size"], most);
  EXPECT_EQ(json["stopped_by"], "commit_limit");
}

}  // namespace
}  // namespace memplug::test
