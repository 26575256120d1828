// SPDX-License-Identifier: MIT
// The verb unplug against the fake module: which request each option makes, what is refused, and
// what a result is worth.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <nlohmann/json.hpp>

#include "fake_channel.hpp"
#include "memplug/failure.hpp"
#include "setting_file.hpp"
#include "sysfs_tree.hpp"
#include "verbs/unplug.hpp"

namespace memplug::test {
namespace {

class UnplugTest : public testing::Test {
 protected:
  ExitStatus run(const UnplugOptions& options) {
    return run_unplug(options, opener(module_), surroundings_, captured_.output);
  }

  // The request that the module saw.
  memplug_request request_of(const UnplugOptions& options) {
    EXPECT_EQ(run(options), ExitStatus::Success);
    EXPECT_EQ(module_.operation, Operation::Unplug);
    return module_.request.value_or(memplug_request{});
  }

  std::string usage_error_of(const UnplugOptions& options) {
    try {
      static_cast<void>(run(options));
    } catch (const UsageError& error) {
      EXPECT_FALSE(module_.request.has_value()) << "the module saw a request";
      return error.what();
    }
    ADD_FAILURE() << "nothing was refused";
    return "";
  }

  nlohmann::json json_of(const UnplugOptions& options) {
    captured_.output.style.json = true;
    static_cast<void>(run(options));
    return nlohmann::json::parse(captured_.data());
  }

  bool said(const std::string& text) const {
    return captured_.prose().find(text) != std::string::npos;
  }

  FakeModule module_;
  Captured captured_;
  SettingFile setting_{"10\n"};
  Surroundings surroundings_ = surroundings_with(setting_.path());
};

TEST_F(UnplugTest, SizeMakesAPlainRequest) {
  const memplug_request request = request_of({.what = "64M"});
  EXPECT_EQ(request.size, sizeof(memplug_request));
  EXPECT_EQ(request.flags, 0U);
  EXPECT_EQ(request.length, 64 * mib);
  EXPECT_EQ(request.start, 0U);
  EXPECT_EQ(request.window_start, 0U);
  EXPECT_EQ(request.window_length, 0U);
  EXPECT_EQ(request.align, 0U);
  EXPECT_EQ(request.timeout_ns, 0U);
  EXPECT_EQ(request.node, 0);
  EXPECT_EQ(request.__reserved, 0U);
  EXPECT_EQ(request.__reserved2, 0U);
  EXPECT_EQ(request.blocked_capacity, unsigned{MEMPLUG_MAX_BLOCKED});
  EXPECT_GE(request.ranges_capacity, 1024U);
  EXPECT_EQ(module_.opened_for, Access::Write);
}

TEST_F(UnplugTest, RangeSetsStartAndLength) {
  const memplug_request request = request_of({.what = "0x140000000-0x143ffffff"});
  EXPECT_EQ(request.flags, MEMPLUG_REQ_RANGE);
  EXPECT_EQ(request.start, 5 * gib);
  EXPECT_EQ(request.length, 64 * mib);
}

TEST_F(UnplugTest, Node) {
  const memplug_request request = request_of({.what = "64M", .node = "1"});
  EXPECT_EQ(request.flags, MEMPLUG_REQ_NODE);
  EXPECT_EQ(request.node, 1);
}

TEST_F(UnplugTest, NodeZeroIsSaidToo) {
  EXPECT_EQ(request_of({.what = "64M", .node = "0"}).flags, MEMPLUG_REQ_NODE);
}

TEST_F(UnplugTest, Within) {
  const memplug_request request = request_of({.what = "64M", .within = "0x140000000+1G"});
  EXPECT_EQ(request.flags, MEMPLUG_REQ_WINDOW);
  EXPECT_EQ(request.window_start, 5 * gib);
  EXPECT_EQ(request.window_length, gib);
}

TEST_F(UnplugTest, ContiguousWithAlign) {
  const memplug_request request = request_of({.what = "1G", .align = "1G", .contiguous = true});
  EXPECT_EQ(request.flags, MEMPLUG_REQ_CONTIGUOUS);
  EXPECT_EQ(request.align, gib);
}

TEST_F(UnplugTest, ExactAndDryRun) {
  EXPECT_EQ(request_of({.what = "64M", .exact = true, .dry_run = true}).flags,
            MEMPLUG_REQ_EXACT | MEMPLUG_REQ_DRY_RUN);
}

TEST_F(UnplugTest, ExactGoesWithARange) {
  EXPECT_EQ(request_of({.what = "0x140000000+64M", .exact = true}).flags,
            MEMPLUG_REQ_RANGE | MEMPLUG_REQ_EXACT);
}

TEST_F(UnplugTest, Timeout) {
  EXPECT_EQ(request_of({.what = "64M", .timeout = "500ms"}).timeout_ns, 500000000U);
}

TEST_F(UnplugTest, CapacityFollowsTheSizeUpToABound) {
  EXPECT_EQ(request_of({.what = "8G"}).ranges_capacity, 2048U);
  EXPECT_EQ(request_of({.what = "8T"}).ranges_capacity, 16384U);
}

TEST_F(UnplugTest, SizeThatIsNoMultipleNamesTheNearestGoodOnes) {
  const std::string message = usage_error_of({.what = "10M"});
  EXPECT_NE(message.find("10MiB"), std::string::npos) << message;
  EXPECT_NE(message.find("subblock, which is 4 MiB"), std::string::npos) << message;
  EXPECT_NE(message.find("8MiB and 12MiB"), std::string::npos) << message;
}

TEST_F(UnplugTest, SizeBelowTheSubblockNamesTheOnlyGoodOne) {
  const std::string message = usage_error_of({.what = "1"});
  EXPECT_NE(message.find("the nearest is 4MiB"), std::string::npos) << message;
}

TEST_F(UnplugTest, SizeAtTheEndOfNumbersHasOneNeighbour) {
  const std::string message = usage_error_of({.what = "18446744073709551615"});
  EXPECT_NE(message.find("the nearest is 17592186044412MiB"), std::string::npos) << message;
}

TEST_F(UnplugTest, SizeZeroIsRefused) {
  EXPECT_NE(usage_error_of({.what = "0"}).find("asks for nothing"), std::string::npos);
}

TEST_F(UnplugTest, UnalignedRangeNamesTheSubblocksItTouches) {
  const std::string message = usage_error_of({.what = "0x140001000+4M"});
  EXPECT_NE(message.find("0x0000000140000000-0x00000001407fffff"), std::string::npos) << message;
}

TEST_F(UnplugTest, UnalignedWindowIsRefused) {
  const std::string message = usage_error_of({.what = "4M", .within = "0x140000000+5M"});
  EXPECT_NE(message.find("--within"), std::string::npos) << message;
}

TEST_F(UnplugTest, AlignMustBeAPowerOfTwo) {
  const std::string message = usage_error_of({.what = "64M", .align = "12M", .contiguous = true});
  EXPECT_NE(message.find("8MiB and 16MiB"), std::string::npos) << message;
}

TEST_F(UnplugTest, AlignMustNotBeBelowTheSubblock) {
  const std::string message = usage_error_of({.what = "64M", .align = "2M", .contiguous = true});
  EXPECT_NE(message.find("the nearest is 4MiB"), std::string::npos) << message;
}

TEST_F(UnplugTest, UsageIsJudgedBeforeTheDeviceIsOpened) {
  const std::vector<UnplugOptions> wrong = {
      {},
      {.what = ""},
      {.what = "64X"},
      {.what = "64M", .align = "1G"},
      {.what = "64M", .align = "0", .contiguous = true},
      {.what = "64M", .timeout = "0s"},
      {.what = "64M", .node = "-1"},
      {.what = "0x140000000+64M", .node = "0"},
      {.what = "0x140000000+64M", .within = "0x140000000+64M"},
      {.what = "0x140000000+64M", .contiguous = true},
      {.what = "0x140000000+64M", .align = "4M", .contiguous = true},
  };
  for (std::size_t i = 0; i < wrong.size(); ++i) {
    EXPECT_NE(usage_error_of(wrong[i]), "") << "number " << i;
    EXPECT_FALSE(module_.opened_for.has_value()) << "number " << i;
  }
}

TEST_F(UnplugTest, BadValueNamesItsOption) {
  const std::string message = usage_error_of({.what = "64M", .timeout = "soon"});
  EXPECT_NE(message.find("--timeout"), std::string::npos) << message;
  EXPECT_NE(message.find("'soon'"), std::string::npos) << message;
}

TEST_F(UnplugTest, PartOfItIsExit64) {
  module_.answer = done_with(32 * mib, MEMPLUG_STOP_FLOOR);
  EXPECT_EQ(run({.what = "64M"}), ExitStatus::Partial);
  EXPECT_TRUE(said("memplugctl: unplug: 32 MiB of 64 MiB missing")) << captured_.prose();
  EXPECT_TRUE(said("less than 600 MiB available")) << captured_.prose();
}

TEST_F(UnplugTest, NoneOfItIsExit1) {
  module_.answer = done_with(0, MEMPLUG_STOP_EXHAUSTED);
  EXPECT_EQ(run({.what = "64M"}), ExitStatus::Failure);
}

TEST_F(UnplugTest, AlreadySoCountsAsDone) {
  module_.answer = [](memplug_request& request) {
    request.out_requested = request.length;
    request.out_already = request.length;
    return 0;
  };
  EXPECT_EQ(run({.what = "0x140000000+64M"}), ExitStatus::Success);
  EXPECT_NE(captured_.data().find("64 MiB was unplugged already"), std::string::npos);
}

TEST_F(UnplugTest, AlreadyWithoutDoneIsPartial) {
  module_.answer = [](memplug_request& request) {
    request.out_requested = request.length;
    request.out_already = 4 * mib;
    request.out_stop = MEMPLUG_STOP_EXHAUSTED;
    return 0;
  };
  EXPECT_EQ(run({.what = "0x140000000+64M"}), ExitStatus::Partial);
}

TEST_F(UnplugTest, DryRunForecastsItsExitStatus) {
  module_.answer = done_with(32 * mib, MEMPLUG_STOP_EXHAUSTED);
  EXPECT_EQ(run({.what = "64M", .dry_run = true}), ExitStatus::Partial);
  EXPECT_EQ(captured_.data().rfind("would unplug 32 MiB of 64 MiB", 0), 0U) << captured_.data();
}

TEST_F(UnplugTest, InterruptedResultIsReported) {
  module_.answer = [](memplug_request& request) {
    // As the module does: the signal ends the wait, the call returns 0.
    std::raise(SIGINT);
    return done_with(4 * mib, MEMPLUG_STOP_INTERRUPTED)(request);
  };
  EXPECT_EQ(json_of({.what = "64M"}).at("stopped_by"), "interrupted");
}

TEST_F(UnplugTest, SigtermIsCaughtDuringARequestOnly) {
  module_.answer = [](memplug_request& request) {
    std::raise(SIGTERM);
    return done_with(4 * mib, MEMPLUG_STOP_INTERRUPTED)(request);
  };
  EXPECT_EQ(run({.what = "64M"}), ExitStatus::Partial);
  struct sigaction action {};
  ASSERT_EQ(::sigaction(SIGTERM, nullptr, &action), 0);
  EXPECT_EQ(action.sa_handler, SIG_DFL);
  EXPECT_EQ(::alarm(0), 0U) << "the re-armed alarm outlived the request";
}

TEST_F(UnplugTest, BlockersAreSummedUpByReasonWithAdvice) {
  module_.answer = [](memplug_request& request) {
    put_blocked(request, {{5 * gib, 4 * mib, 0x140001, MEMPLUG_REASON_UNMOVABLE, 0},
                          {6 * gib, 8 * mib, 0, MEMPLUG_REASON_UNMOVABLE, 0},
                          {7 * gib, 4 * mib, 9, MEMPLUG_REASON_PINNED, 0}});
    return done_with(0, MEMPLUG_STOP_EXHAUSTED)(request);
  };
  EXPECT_EQ(run({.what = "64M"}), ExitStatus::Failure);
  EXPECT_TRUE(said("unmovable, 12 MiB: ")) << captured_.prose();
  EXPECT_TRUE(said("pinned, 4 MiB: ")) << captured_.prose();
  EXPECT_NE(captured_.data().find("0x140001"), std::string::npos) << captured_.data();
}

TEST_F(UnplugTest, QuietLeavesOnlyTheRanges) {
  captured_.output.style.quiet = true;
  EXPECT_EQ(run({.what = "64M"}), ExitStatus::Success);
  EXPECT_EQ(captured_.data(), "0x0000000140000000-0x0000000143ffffff  64 MiB  0\n");
  EXPECT_EQ(captured_.prose(), "");
}

TEST_F(UnplugTest, ChangeOf64MibRecomputesTheWatermarks) {
  module_.answer = done_with(64 * mib, MEMPLUG_STOP_FLOOR);
  EXPECT_EQ(run({.what = "1G"}), ExitStatus::Partial);
  EXPECT_TRUE(setting_.written());
  EXPECT_EQ(setting_.content(), "10\n");
}

TEST_F(UnplugTest, SmallerChangeLeavesTheWatermarks) {
  module_.answer = done_with(60 * mib, MEMPLUG_STOP_FLOOR);
  EXPECT_EQ(run({.what = "1G"}), ExitStatus::Partial);
  EXPECT_FALSE(setting_.written());
}

TEST_F(UnplugTest, WhatWasSoAlreadyLeavesTheWatermarks) {
  module_.answer = [](memplug_request& request) {
    request.out_requested = request.length;
    request.out_already = request.length;
    return 0;
  };
  EXPECT_EQ(run({.what = "0x140000000+1G"}), ExitStatus::Success);
  EXPECT_FALSE(setting_.written());
}

TEST_F(UnplugTest, DryRunLeavesTheWatermarks) {
  EXPECT_EQ(run({.what = "1G", .dry_run = true}), ExitStatus::Success);
  EXPECT_FALSE(setting_.written());
}

TEST_F(UnplugTest, WatermarksAreKeptIfAskedFor) {
  EXPECT_EQ(run({.what = "1G", .keep_watermarks = true}), ExitStatus::Success);
  EXPECT_FALSE(setting_.written());
}

TEST_F(UnplugTest, WatermarksThatCanNotBeRewrittenFailNothing) {
  captured_.output.style.verbose = true;
  const Surroundings missing("/nonexistent");
  EXPECT_EQ(run_unplug({.what = "1G"}, opener(module_), missing, captured_.output),
            ExitStatus::Success);
  EXPECT_TRUE(said("ENOENT")) << captured_.prose();
}

TEST_F(UnplugTest, OtherDriversAreNamedUnlessQuiet) {
  const SysfsTree sysfs;
  sysfs.bind("virtio/drivers/virtio_balloon", "virtio0");
  module_.sysfs = sysfs.root();
  EXPECT_EQ(json_of({.what = "64M"}).at("stopped_by"), nullptr);
  EXPECT_TRUE(said("memplugctl: unplug: virtio_balloon is at work here too")) << captured_.prose();
  Captured quiet;
  quiet.output.style.quiet = true;
  EXPECT_EQ(run_unplug({.what = "64M"}, opener(module_), surroundings_, quiet.output),
            ExitStatus::Success);
  EXPECT_EQ(quiet.prose(), "");
}

TEST_F(UnplugTest, NothingManagedIsExplained) {
  module_.info.out_managed_size = 0;
  module_.answer = done_with(0, MEMPLUG_STOP_EXHAUSTED);
  const auto json = json_of({.what = "64M"});
  EXPECT_EQ(json.at("shortfall"), 64 * mib);
  EXPECT_TRUE(said("ZONE_DMA32")) << captured_.prose();
}

TEST_F(UnplugTest, UnmanagedRangeSaysWhichPartAndWhy) {
  module_.answer = [](memplug_request& request) {
    request.out_bad_start = 3 * gib;
    request.out_bad_length = 4 * mib;
    request.out_bad_why = MEMPLUG_BAD_ZONE;
    return ENXIO;
  };
  try {
    static_cast<void>(run({.what = "0xc0000000+64M"}));
    FAIL() << "ENXIO was taken for a result";
  } catch (const Failure& error) {
    const std::string message = error.what();
    EXPECT_EQ(error.code().value(), ENXIO);
    EXPECT_NE(message.find("0x00000000c0000000-0x00000000c03fffff"), std::string::npos) << message;
    EXPECT_NE(message.find("a zone that is not managed"), std::string::npos) << message;
  }
}

TEST_F(UnplugTest, OfflineNodeIsNamed) {
  module_.answer = [](memplug_request&) { return ENXIO; };
  try {
    static_cast<void>(run({.what = "64M", .node = "7"}));
    FAIL() << "ENXIO was taken for a result";
  } catch (const Failure& error) {
    EXPECT_EQ(std::string(error.what()), "node 7 is not online");
  }
}

TEST_F(UnplugTest, MissingPrivilegeSaysWhatToDo) {
  module_.answer = [](memplug_request&) { return EPERM; };
  try {
    static_cast<void>(run({.what = "64M"}));
    FAIL() << "EPERM was taken for a result";
  } catch (const Failure& error) {
    EXPECT_EQ(error.code().value(), EPERM);
    EXPECT_NE(error.next_step().find("root"), std::string::npos) << error.next_step();
  }
}

TEST_F(UnplugTest, TruncatedResultSaysSo) {
  module_.answer = [](memplug_request& request) {
    put_ranges(request, std::vector<memplug_range>(3000, {5 * gib, 4 * mib, 0, 0, 0, 0}));
    request.out_requested = request.length;
    request.out_done = request.length;
    return 0;
  };
  const auto json = json_of({.what = "64M"});
  EXPECT_EQ(json.at("truncated"), true);
  EXPECT_EQ(json.at("ranges").size(), 1024U);
  EXPECT_TRUE(said("more ranges")) << captured_.prose();
}

TEST_F(UnplugTest, ZoneNames) {
  module_.info.out_features |= MEMPLUG_FEATURE_ZONES;
  module_.info.out_low_managed_size = gib;
  EXPECT_EQ(request_of({.what = "64M", .zone = "dma32"}).flags, MEMPLUG_REQ_LOW);
  EXPECT_EQ(request_of({.what = "64M", .zone = "normal"}).flags, MEMPLUG_REQ_NORMAL);
}

TEST_F(UnplugTest, ARangeSaysItsZone) {
  EXPECT_NE(usage_error_of({.what = "0x140000000+64M", .zone = "normal"}).find("--zone"),
            std::string::npos);
}

TEST_F(UnplugTest, ZoneThatIsNone) {
  for (const char* zone : {"", "movable", "NORMAL", "dma"}) {
    EXPECT_NE(usage_error_of({.what = "64M", .zone = zone}).find("neither normal nor dma32"),
              std::string::npos);
  }
}

TEST_F(UnplugTest, LowZoneThatIsNotManagedNamesTheParameter) {
  module_.info.out_features |= MEMPLUG_FEATURE_ZONES;
  try {
    static_cast<void>(run({.what = "64M", .zone = "dma32"}));
    FAIL() << "nothing was refused";
  } catch (const Failure& error) {
    EXPECT_EQ(error.code().value(), ENXIO);
    EXPECT_NE(error.next_step().find("zones=normal,dma32"), std::string::npos);
  }
  EXPECT_FALSE(module_.request.has_value());
}

TEST_F(UnplugTest, OlderModuleKnowsNoZones) {
  module_.info.out_features &= ~std::uint64_t{MEMPLUG_FEATURE_ZONES};
  EXPECT_THROW(static_cast<void>(run({.what = "64M", .zone = "normal"})), Failure);
}

}  // namespace
}  // namespace memplug::test
