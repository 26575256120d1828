// SPDX-License-Identifier: MIT
// The verb plug against the fake module.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "fake_channel.hpp"
#include "memplug/failure.hpp"
#include "setting_file.hpp"
#include "sysfs_tree.hpp"
#include "verbs/plug.hpp"

namespace memplug::test {
namespace {

class PlugTest : public testing::Test {
 protected:
  ExitStatus run(const PlugOptions& options) {
    return run_plug(options, opener(module_), surroundings_, captured_.output);
  }

  memplug_request request_of(const PlugOptions& options) {
    EXPECT_EQ(run(options), ExitStatus::Success);
    EXPECT_EQ(module_.operation, Operation::Plug);
    return module_.request.value_or(memplug_request{});
  }

  FakeModule module_;
  Captured captured_;
  SettingFile setting_{"10\n"};
  Surroundings surroundings_ = surroundings_with(setting_.path());
};

TEST_F(PlugTest, Size) {
  const memplug_request request = request_of({.what = "64M"});
  EXPECT_EQ(request.flags, 0U);
  EXPECT_EQ(request.length, 64 * mib);
  EXPECT_EQ(module_.opened_for, Access::Write);
}

TEST_F(PlugTest, Range) {
  const memplug_request request = request_of({.what = "0x140000000+64M"});
  EXPECT_EQ(request.flags, MEMPLUG_REQ_RANGE);
  EXPECT_EQ(request.start, 5 * gib);
  EXPECT_EQ(request.length, 64 * mib);
}

TEST_F(PlugTest, AllHasNoLength) {
  const memplug_request request = request_of({.all = true});
  EXPECT_EQ(request.flags, MEMPLUG_REQ_ALL);
  EXPECT_EQ(request.length, 0U);
}

TEST_F(PlugTest, AllHasRoomForWhatIsUnplugged) {
  module_.info.out_unplugged_size = 8 * gib;
  EXPECT_EQ(request_of({.all = true}).ranges_capacity, 2048U);
}

TEST_F(PlugTest, NodeAndDryRun) {
  const memplug_request request = request_of({.node = "1", .all = true, .dry_run = true});
  EXPECT_EQ(request.flags, MEMPLUG_REQ_ALL | MEMPLUG_REQ_NODE | MEMPLUG_REQ_DRY_RUN);
  EXPECT_EQ(request.node, 1);
}

TEST_F(PlugTest, ExactlyOneOfSizeRangeAndAll) {
  EXPECT_THROW(static_cast<void>(run({})), UsageError);
  EXPECT_THROW(static_cast<void>(run({.what = "64M", .all = true})), UsageError);
  EXPECT_THROW(static_cast<void>(run({.what = "0x140000000+64M", .all = true})), UsageError);
  EXPECT_FALSE(module_.opened_for.has_value());
}

TEST_F(PlugTest, RangeExcludesNode) {
  EXPECT_THROW(static_cast<void>(run({.what = "0x140000000+64M", .node = "0"})), UsageError);
  EXPECT_FALSE(module_.opened_for.has_value());
}

TEST_F(PlugTest, UnalignedSizeIsRefused) {
  EXPECT_THROW(static_cast<void>(run({.what = "6M"})), UsageError);
  EXPECT_FALSE(module_.request.has_value());
}

TEST_F(PlugTest, AllOfNothingIsSuccess) { EXPECT_EQ(run({.all = true}), ExitStatus::Success); }

TEST_F(PlugTest, AllReportsWhatThereWasAndWhatIsLeft) {
  module_.answer = [](memplug_request& request) {
    request.out_requested = 128 * mib;
    request.out_done = 128 * mib;
    request.out_left = 4 * mib;
    put_ranges(request, {{5 * gib, 128 * mib, 0, 0, 0, 0}});
    return 0;
  };
  captured_.output.style.json = true;
  EXPECT_EQ(run({.all = true}), ExitStatus::Success);
  const auto json = nlohmann::json::parse(captured_.data());
  EXPECT_EQ(json.at("operation"), "plug");
  EXPECT_EQ(json.at("requested_size"), 128 * mib);
  EXPECT_EQ(json.at("left_size"), 4 * mib);
  EXPECT_NE(captured_.prose().find("4 MiB stays unplugged"), std::string::npos)
      << captured_.prose();
}

TEST_F(PlugTest, HeldRangeIsRefusedWithItsReason) {
  module_.answer = [](memplug_request& request) {
    put_blocked(request, {{5 * gib, 64 * mib, 0, MEMPLUG_REASON_HELD, 0}});
    return done_with(0, MEMPLUG_STOP_EXHAUSTED)(request);
  };
  EXPECT_EQ(run({.what = "0x140000000+64M"}), ExitStatus::Failure);
  EXPECT_NE(captured_.prose().find("held, 64 MiB: "), std::string::npos) << captured_.prose();
}

TEST_F(PlugTest, ChangeOf64MibRecomputesTheWatermarks) {
  EXPECT_EQ(run({.what = "64M"}), ExitStatus::Success);
  EXPECT_TRUE(setting_.written());
}

TEST_F(PlugTest, WatermarksAreKeptIfAskedFor) {
  EXPECT_EQ(run({.what = "64M", .keep_watermarks = true}), ExitStatus::Success);
  EXPECT_FALSE(setting_.written());
}

TEST_F(PlugTest, OtherDriversAreNoMatter) {
  const SysfsTree sysfs;
  sysfs.bind("virtio/drivers/virtio_balloon", "virtio0");
  module_.sysfs = sysfs.root();
  EXPECT_EQ(run({.what = "64M"}), ExitStatus::Success);
  EXPECT_EQ(captured_.prose(), "");
}

TEST_F(PlugTest, MoreThanThereIsIsPartial) {
  module_.answer = done_with(64 * mib, MEMPLUG_STOP_EXHAUSTED);
  EXPECT_EQ(run({.what = "1G"}), ExitStatus::Partial);
}

}  // namespace
}  // namespace memplug::test
