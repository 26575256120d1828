// SPDX-License-Identifier: MIT
// The verb target against the fake module: what it sets, when its wait ends, and what that is
// worth.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "fake_channel.hpp"
#include "memplug/failure.hpp"
#include "setting_file.hpp"
#include "sysfs_tree.hpp"
#include "temporary_folder.hpp"
#include "verbs/target.hpp"

namespace memplug::test {
namespace {

using namespace std::chrono_literals;

class TargetTest : public testing::Test {
 protected:
  ExitStatus run(const TargetOptions& options) {
    return run_target(options, opener(module_), surroundings_, captured_.output);
  }

  // The target that the module saw.
  std::uint64_t target_of(const TargetOptions& options) {
    EXPECT_EQ(run(options), ExitStatus::Success);
    return module_.target.value_or(memplug_target{}).target;
  }

  std::string usage_error_of(const TargetOptions& options) {
    try {
      static_cast<void>(run(options));
    } catch (const UsageError& error) {
      EXPECT_FALSE(module_.target.has_value()) << "the module saw a target";
      return error.what();
    }
    ADD_FAILURE() << "nothing was refused";
    return "";
  }

  // Its message and next step in one.
  std::string failure_of(const TargetOptions& options, int error_number) {
    try {
      static_cast<void>(run(options));
    } catch (const Failure& error) {
      EXPECT_EQ(error.code().value(), error_number) << error.what();
      return std::string(error.what()) + "; " + error.next_step();
    }
    ADD_FAILURE() << "nothing failed";
    return "";
  }

  nlohmann::json json_of(const TargetOptions& options) {
    captured_.output.style.json = true;
    static_cast<void>(run(options));
    return nlohmann::json::parse(captured_.data());
  }

  // What the module comes to, wait by wait; after the last one nothing changes any more.
  struct Step {
    std::uint64_t unplugged;
    std::uint32_t state;
  };
  void then(std::vector<Step> steps) {
    module_.answer_wait = [this, steps = std::move(steps)](int earlier,
                                                           std::chrono::milliseconds timeout) {
      if (static_cast<std::size_t>(earlier) >= steps.size()) {
        std::this_thread::sleep_for(timeout);
        return ETIMEDOUT;
      }
      const Step& step = steps[static_cast<std::size_t>(earlier)];
      module_.info.out_unplugged_size = step.unplugged;
      module_.info.out_target_state = step.state;
      ++module_.info.out_generation;
      return 0;
    };
  }

  bool said(const std::string& text) const {
    return captured_.prose().find(text) != std::string::npos;
  }

  FakeModule module_;
  Captured captured_;
  // MemTotal of a machine that has so much besides what is managed and plugged.
  void machine_has(std::uint64_t total) {
    machine_.write("/proc/meminfo", "MemTotal:  " + std::to_string(total / 1024) + " kB\n");
    surroundings_.meminfo = Meminfo(machine_.root());
  }

  TemporaryFolder machine_;
  SettingFile setting_{"10\n"};
  Surroundings surroundings_ = surroundings_with(setting_.path());
};

TEST_F(TargetTest, SizeIsSetAndNotWaitedFor) {
  EXPECT_EQ(target_of({.what = "3G"}), 3 * gib);
  EXPECT_EQ(module_.target.value_or(memplug_target{}).size, sizeof(memplug_target));
  EXPECT_EQ(module_.target.value_or(memplug_target{}).flags, 0U);
  EXPECT_EQ(module_.opened_for, Access::Write);
  EXPECT_EQ(module_.wait_calls, 0);
  EXPECT_FALSE(setting_.written());
  EXPECT_EQ(captured_.data(), "target 3 GiB, plugged 4 GiB: working toward it\n");
  EXPECT_EQ(captured_.prose(), "");
}

TEST_F(TargetTest, ZeroIsAsLittleAsCanBe) { EXPECT_EQ(target_of({.what = "0"}), 0U); }

TEST_F(TargetTest, NoneEndsIt) {
  module_.info.out_target_size = 3 * gib;
  EXPECT_EQ(target_of({.what = "none"}), MEMPLUG_NO_TARGET);
  EXPECT_EQ(captured_.data(), "target none, plugged 4 GiB\n");
}

TEST_F(TargetTest, NoneIsNullInJson) {
  const auto json = json_of({.what = "none"});
  EXPECT_EQ(json.at("target_size"), nullptr);
  EXPECT_EQ(json.at("state"), "none");
  EXPECT_EQ(json.at("stopped_by"), nullptr);
}

TEST_F(TargetTest, SizeThatIsNoMultipleNamesTheNearestGoodOnes) {
  const std::string message = usage_error_of({.what = "10M"});
  EXPECT_NE(message.find("target 10MiB"), std::string::npos) << message;
  EXPECT_NE(message.find("subblock, which is 4 MiB"), std::string::npos) << message;
  EXPECT_NE(message.find("8MiB and 12MiB"), std::string::npos) << message;
}

TEST_F(TargetTest, BelowTheSubblockZeroIsGoodToo) {
  const std::string message = usage_error_of({.what = "1"});
  EXPECT_NE(message.find("the nearest are 0 and 4MiB"), std::string::npos) << message;
}

TEST_F(TargetTest, WithoutASizeItIsOnlyShown) {
  module_.info.out_target_size = 3 * gib;
  module_.info.out_target_state = MEMPLUG_TARGET_WORKING;
  const auto json = json_of({});
  EXPECT_EQ(json.at("target_size"), 3 * gib);
  EXPECT_EQ(json.at("state"), "working");
  EXPECT_EQ(module_.opened_for, Access::Read);
  EXPECT_FALSE(module_.target.has_value()) << "the module saw a target";
}

TEST_F(TargetTest, UsageIsJudgedBeforeTheDeviceIsOpened) {
  const std::vector<TargetOptions> wrong = {
      {.wait = true},
      {.timeout = "5s"},
      {.what = ""},
      {.what = "64X"},
      {.what = "NONE"},
      {.what = "0x140000000+64M"},
      {.what = "3G", .timeout = "5s"},
      {.what = "3G", .timeout = "0s", .wait = true},
      {.what = "3G", .timeout = "soon", .wait = true},
      {.what = "none", .wait = true},
      {.what = "none", .timeout = "5s"},
  };
  for (std::size_t i = 0; i < wrong.size(); ++i) {
    EXPECT_NE(usage_error_of(wrong[i]), "") << "number " << i;
    EXPECT_FALSE(module_.opened_for.has_value()) << "number " << i;
  }
}

TEST_F(TargetTest, WaitForNoneSaysWhyNot) {
  EXPECT_NE(usage_error_of({.what = "none", .wait = true}).find("nothing to wait for"),
            std::string::npos);
}

TEST_F(TargetTest, MoreThanIsManagedNamesBothAndTheMost) {
  module_.answer_target = [](memplug_target&) { return ERANGE; };
  const std::string message = failure_of({.what = "100G"}, ERANGE);
  EXPECT_NE(message.find("100 GiB"), std::string::npos) << message;
  EXPECT_NE(message.find("managed, which is 4 GiB"), std::string::npos) << message;
  EXPECT_NE(message.find("the most is 4GiB"), std::string::npos) << message;
}

TEST_F(TargetTest, WithNothingManagedItSaysWhy) {
  module_.info.out_managed_size = 0;
  module_.answer_target = [](memplug_target&) { return ERANGE; };
  const std::string message = failure_of({.what = "4M"}, ERANGE);
  EXPECT_NE(message.find("ZONE_DMA32"), std::string::npos) << message;
}

TEST_F(TargetTest, OlderModuleIsToldByItsFeatures) {
  module_.info.out_features = 0;
  const std::string message = failure_of({.what = "3G"}, ENOTTY);
  EXPECT_NE(message.find("older than this tool"), std::string::npos) << message;
  EXPECT_NE(message.find("0.1.0"), std::string::npos) << message;
  EXPECT_FALSE(module_.target.has_value());
}

TEST_F(TargetTest, OlderModuleIsToldByItsRefusal) {
  module_.answer_target = [](memplug_target&) { return ENOTTY; };
  const std::string message = failure_of({.what = "3G", .wait = true}, ENOTTY);
  EXPECT_NE(message.find("older than this tool"), std::string::npos) << message;
}

TEST_F(TargetTest, MissingPrivilegeSaysWhatToDo) {
  module_.answer_target = [](memplug_target&) { return EPERM; };
  const std::string message = failure_of({.what = "3G"}, EPERM);
  EXPECT_NE(message.find("root"), std::string::npos) << message;
}

TEST_F(TargetTest, WaitEndsWhenItIsReached) {
  then({{512 * mib, MEMPLUG_TARGET_WORKING},
        {512 * mib, MEMPLUG_TARGET_BLOCKED},
        {gib, MEMPLUG_TARGET_REACHED}});
  EXPECT_EQ(target_of({.what = "3G", .wait = true}), 3 * gib);
  EXPECT_EQ(module_.wait_calls, 3);
  EXPECT_EQ(captured_.data(), "target 3 GiB, plugged 3 GiB: reached\n");
  EXPECT_EQ(captured_.prose(), "");
}

TEST_F(TargetTest, WhatIsReachedAlreadyIsNotWaitedFor) {
  module_.answer_target = [this](memplug_target& target) {
    module_.info.out_target_size = target.target;
    module_.info.out_target_state = MEMPLUG_TARGET_REACHED;
    return 0;
  };
  EXPECT_EQ(target_of({.what = "4G", .wait = true}), 4 * gib);
  EXPECT_EQ(module_.wait_calls, 0);
}

TEST_F(TargetTest, FloorAfterPartOfItIsExit64) {
  then({{512 * mib, MEMPLUG_TARGET_WORKING}, {512 * mib, MEMPLUG_TARGET_FLOOR}});
  EXPECT_EQ(run({.what = "3G", .wait = true}), ExitStatus::Partial);
  EXPECT_EQ(captured_.data(), "target 3 GiB, plugged 3.5 GiB: the floor of 600 MiB stops it\n");
  EXPECT_TRUE(said("memplugctl: target: stopped by the floor")) << captured_.prose();
  EXPECT_TRUE(said("/sys/module/memplug/parameters/floor")) << captured_.prose();
}

TEST_F(TargetTest, FloorBeforeAnyOfItIsExit1) {
  then({{0, MEMPLUG_TARGET_FLOOR}});
  EXPECT_EQ(run({.what = "3G", .wait = true}), ExitStatus::Failure);
}

TEST_F(TargetTest, FurtherFromItIsExit1) {
  module_.info.out_unplugged_size = 512 * mib;
  then({{256 * mib, MEMPLUG_TARGET_FLOOR}});
  EXPECT_EQ(run({.what = "3G", .wait = true}), ExitStatus::Failure);
}

TEST_F(TargetTest, NearerFromBelowIsExit64) {
  module_.info.out_unplugged_size = 2 * gib;
  then({{2 * gib - 4 * mib, MEMPLUG_TARGET_BLOCKED}});
  EXPECT_EQ(run({.what = "4G", .timeout = "20ms", .wait = true}), ExitStatus::Partial);
  EXPECT_TRUE(said("can't be given back")) << captured_.prose();
}

TEST_F(TargetTest, FloorIsTold) {
  then({{0, MEMPLUG_TARGET_FLOOR}});
  const auto json = json_of({.what = "3G", .wait = true});
  EXPECT_EQ(json.at("stopped_by"), "floor");
  EXPECT_EQ(json.at("state"), "floor");
  EXPECT_EQ(json.at("floor_size"), 600 * mib);
}

TEST_F(TargetTest, TimeoutIsToldAndTheTargetStays) {
  then({{4 * mib, MEMPLUG_TARGET_WORKING}});
  const auto begin = std::chrono::steady_clock::now();
  const auto json = json_of({.what = "3G", .timeout = "20ms", .wait = true});
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 20ms);
  EXPECT_EQ(json.at("stopped_by"), "timeout");
  EXPECT_EQ(json.at("state"), "working");
  EXPECT_EQ(json.at("target_size"), 3 * gib);
  EXPECT_EQ(json.at("plugged_size"), 4 * gib - 4 * mib);
  EXPECT_GE(json.at("elapsed_us"), 20000);
  EXPECT_TRUE(said("stopped by --timeout")) << captured_.prose();
  EXPECT_TRUE(said("'memplugctl target none' ends it")) << captured_.prose();
  EXPECT_EQ(module_.info.out_target_size, 3 * gib);
}

TEST_F(TargetTest, BlockedIsWaitedOutAndExplained) {
  then({{0, MEMPLUG_TARGET_BLOCKED}});
  EXPECT_EQ(run({.what = "3G", .timeout = "20ms", .wait = true}), ExitStatus::Failure);
  EXPECT_EQ(captured_.data(), "target 3 GiB, plugged 4 GiB: blocked for now\n");
  EXPECT_TRUE(said("memplugctl status")) << captured_.prose();
  EXPECT_TRUE(said("--dry-run")) << captured_.prose();
}

TEST_F(TargetTest, CtrlCEndsTheWait) {
  module_.answer_wait = [](int /*earlier*/, std::chrono::milliseconds /*timeout*/) {
    std::raise(SIGINT);
    return EINTR;
  };
  const auto json = json_of({.what = "3G", .wait = true});
  EXPECT_EQ(json.at("stopped_by"), "interrupted");
  EXPECT_EQ(module_.wait_calls, 1);
  EXPECT_TRUE(said("interrupted")) << captured_.prose();
  EXPECT_EQ(::alarm(0), 0U) << "the re-armed alarm outlived the wait";
}

TEST_F(TargetTest, OtherSignalsEndNothing) {
  module_.answer_wait = [this](int earlier, std::chrono::milliseconds /*timeout*/) {
    if (earlier == 0) {
      return EINTR;
    }
    module_.info.out_target_state = MEMPLUG_TARGET_REACHED;
    return 0;
  };
  EXPECT_EQ(run({.what = "3G", .wait = true}), ExitStatus::Success);
  EXPECT_EQ(module_.wait_calls, 2);
}

TEST_F(TargetTest, OtherTargetIsNotTakenForOurs) {
  module_.answer_wait = [this](int /*earlier*/, std::chrono::milliseconds /*timeout*/) {
    module_.info.out_target_size = 2 * gib;
    module_.info.out_target_state = MEMPLUG_TARGET_REACHED;
    return 0;
  };
  const std::string message = failure_of({.what = "3G", .wait = true}, ECANCELED);
  EXPECT_NE(message.find("the target is 2 GiB now, no longer 3 GiB"), std::string::npos) << message;
  EXPECT_EQ(captured_.data(), "");
}

TEST_F(TargetTest, TargetThatAnotherEndedIsToldApart) {
  module_.answer_wait = [this](int /*earlier*/, std::chrono::milliseconds /*timeout*/) {
    module_.info.out_target_size = MEMPLUG_NO_TARGET;
    module_.info.out_target_state = MEMPLUG_TARGET_NONE;
    return 0;
  };
  const std::string message = failure_of({.what = "3G", .wait = true}, ECANCELED);
  EXPECT_NE(message.find("another process ended the target of 3 GiB"), std::string::npos)
      << message;
}

TEST_F(TargetTest, WaitThatFailsIsAnError) {
  module_.answer_wait = [](int /*earlier*/, std::chrono::milliseconds /*timeout*/) { return EIO; };
  EXPECT_THROW(static_cast<void>(run({.what = "3G", .wait = true})), std::system_error);
}

TEST_F(TargetTest, ProgressIsDrawnOnATerminalFromWhatTheWaitRead) {
  captured_.output.terminal = true;
  module_.answer_wait = [this](int earlier, std::chrono::milliseconds /*timeout*/) {
    std::this_thread::sleep_for(700ms);
    module_.info.out_unplugged_size = 512 * mib;
    module_.info.out_target_state = earlier == 0 ? MEMPLUG_TARGET_WORKING : MEMPLUG_TARGET_REACHED;
    return 0;
  };
  EXPECT_EQ(run({.what = "3G", .wait = true}), ExitStatus::Success);
  EXPECT_TRUE(said("plugged 3.5 GiB, target 3.0 GiB, ")) << captured_.prose();
  EXPECT_TRUE(captured_.prose().ends_with("\r\033[K")) << captured_.prose();
  // Before it is set, before the first wait and after each: the meter asks the module nothing.
  EXPECT_EQ(module_.info_calls, 4);
}

TEST_F(TargetTest, WatermarksAreRecomputedAfterTheWait) {
  then({{gib, MEMPLUG_TARGET_REACHED}});
  EXPECT_EQ(run({.what = "3G", .wait = true}), ExitStatus::Success);
  EXPECT_TRUE(setting_.written());
  EXPECT_EQ(setting_.content(), "10\n");
}

TEST_F(TargetTest, WatermarksAreKeptIfAskedFor) {
  then({{gib, MEMPLUG_TARGET_REACHED}});
  EXPECT_EQ(run({.what = "3G", .wait = true, .keep_watermarks = true}), ExitStatus::Success);
  EXPECT_FALSE(setting_.written());
}

TEST_F(TargetTest, OtherDriversAreNamedUnlessQuiet) {
  const SysfsTree sysfs;
  sysfs.bind("virtio/drivers/virtio_balloon", "virtio0");
  module_.sysfs = sysfs.root();
  EXPECT_EQ(run({.what = "3G"}), ExitStatus::Success);
  EXPECT_TRUE(said("memplugctl: target: virtio_balloon is at work here too")) << captured_.prose();
  Captured quiet;
  quiet.output.style.quiet = true;
  EXPECT_EQ(run_target({.what = "3G"}, opener(module_), surroundings_, quiet.output),
            ExitStatus::Success);
  EXPECT_EQ(quiet.prose(), "");
}

TEST_F(TargetTest, TotalIsCountedInMemTotal) {
  machine_has(6 * gib);
  EXPECT_EQ(target_of({.total = "5G"}), 3 * gib);
  EXPECT_EQ(captured_.data(), "target 3 GiB, plugged 4 GiB, MemTotal 6 GiB: working toward it\n");
}

TEST_F(TargetTest, TotalIsNeverUndercut) {
  // 1 MiB is less than a subblock: what is asked for stays.
  machine_has(6 * gib);
  EXPECT_EQ(target_of({.total = "5119M"}), 3 * gib);
  EXPECT_EQ(target_of({.total = "5121M"}), 3 * gib + 4 * mib);
  EXPECT_EQ(target_of({.total = "6G"}), 4 * gib);
}

TEST_F(TargetTest, TotalAboveWhatThereIsNow) {
  module_.info.out_unplugged_size = gib;
  machine_has(5 * gib);
  EXPECT_EQ(target_of({.total = "6G"}), 4 * gib);
  EXPECT_EQ(target_of({.total = "5121M"}), 3 * gib + 4 * mib);
}

TEST_F(TargetTest, TotalThatCannotBeNamesTheBound) {
  machine_has(6 * gib);
  EXPECT_NE(failure_of({.total = "7G"}, ERANGE).find("the most is 6GiB"), std::string::npos);
  EXPECT_NE(failure_of({.total = "1G"}, ERANGE).find("the least is 2GiB"), std::string::npos);
  EXPECT_FALSE(module_.target.has_value());
}

TEST_F(TargetTest, TotalNeedsToBeTold) {
  EXPECT_NE(failure_of({.total = "3G"}, ENOENT).find("/proc"), std::string::npos);
}

TEST_F(TargetTest, TotalIsOfOneMoment) {
  machine_has(6 * gib);
  // Between the two looks a GiB goes.
  module_.before_info = [this](int earlier) {
    if (earlier == 1) {
      module_.info.out_unplugged_size = gib;
      ++module_.info.out_generation;
      machine_has(5 * gib);
    }
  };
  EXPECT_EQ(target_of({.total = "5G"}), 3 * gib);
}

TEST_F(TargetTest, ChangesAreCountedFromWhatIsPlugged) {
  EXPECT_EQ(target_of({.by = "-1G"}), 3 * gib);
  module_.info.out_unplugged_size = 2 * gib;
  module_.info.out_target_size = MEMPLUG_NO_TARGET;
  EXPECT_EQ(target_of({.by = "+1G"}), 3 * gib);
}

TEST_F(TargetTest, ChangesAddUp) {
  EXPECT_EQ(target_of({.by = "-1G"}), 3 * gib);
  EXPECT_EQ(target_of({.by = "-1G"}), 2 * gib);
  EXPECT_EQ(target_of({.by = "+512M"}), 2 * gib + 512 * mib);
}

TEST_F(TargetTest, ChangeThatCannotBeNamesTheMost) {
  EXPECT_NE(failure_of({.by = "-5G"}, ERANGE).find("the most is -4GiB"), std::string::npos);
  EXPECT_NE(failure_of({.by = "+4M"}, ERANGE).find("the most is +0"), std::string::npos);
  EXPECT_NE(usage_error_of({.by = "-10M"}).find("--by 10MiB is not a multiple"), std::string::npos);
}

TEST_F(TargetTest, OneWayToSayWhatItIsToBe) {
  const std::vector<TargetOptions> wrong = {
      {.what = "3G", .total = "3G"},
      {.what = "none", .by = "-1G"},
      {.total = "3G", .by = "-1G"},
      {.by = "1G"},
      {.by = ""},
      {.by = "+"},
      {.by = "--1G"},
      {.total = "none"},
      {.total = "0x1000+4M"},
      {.what = "none", .dry_run = true},
      {.what = "3G", .wait = true, .dry_run = true},
      {.what = "3G", .dry_run = true, .save = true},
      {.dry_run = true},
      {.save = true},
  };
  for (std::size_t i = 0; i < wrong.size(); ++i) {
    EXPECT_NE(usage_error_of(wrong[i]), "") << "number " << i;
    EXPECT_FALSE(module_.opened_for.has_value()) << "number " << i;
  }
}

TEST_F(TargetTest, DryRunAsksForAForecastAndSetsNothing) {
  machine_has(6 * gib);
  module_.answer = done_with(gib, MEMPLUG_STOP_NONE);
  EXPECT_EQ(run({.what = "3G", .dry_run = true}), ExitStatus::Success);
  EXPECT_EQ(captured_.data(), "target 3 GiB, plugged would be 3 GiB, MemTotal 5 GiB: reached\n");
  EXPECT_EQ(captured_.prose(), "");
  EXPECT_FALSE(module_.target.has_value());
  EXPECT_EQ(module_.operation, Operation::Unplug);
  EXPECT_EQ(module_.request.value_or(memplug_request{}).flags, MEMPLUG_REQ_DRY_RUN);
  EXPECT_EQ(module_.request.value_or(memplug_request{}).length, gib);
}

TEST_F(TargetTest, DryRunTellsTheFloor) {
  module_.answer = done_with(512 * mib, MEMPLUG_STOP_FLOOR);
  EXPECT_EQ(run({.what = "3G", .dry_run = true}), ExitStatus::Partial);
  EXPECT_TRUE(said("floor")) << captured_.prose();
  EXPECT_FALSE(said("stays set")) << captured_.prose();
}

TEST_F(TargetTest, DryRunInJson) {
  module_.answer = done_with(512 * mib, MEMPLUG_STOP_FLOOR);
  const auto json = json_of({.what = "3G", .dry_run = true});
  EXPECT_EQ(json.at("dry_run"), true);
  EXPECT_EQ(json.at("state"), "floor");
  EXPECT_EQ(json.at("plugged_size"), 4 * gib - 512 * mib);
  EXPECT_EQ(json.at("total_size"), nullptr);
  EXPECT_EQ(json.at("stopped_by"), "floor");
}

TEST_F(TargetTest, DryRunThatIsInterruptedDoesNotCallItBlocked) {
  module_.answer = done_with(0, MEMPLUG_STOP_INTERRUPTED);
  EXPECT_EQ(run({.what = "3G", .dry_run = true}), ExitStatus::Failure);
  EXPECT_TRUE(said("interrupted")) << captured_.prose();
  EXPECT_FALSE(said("can't be")) << captured_.prose();
}

TEST_F(TargetTest, DryRunWithoutTheRightSaysWhatToDo) {
  module_.answer = [](memplug_request&) { return EPERM; };
  EXPECT_NE(failure_of({.what = "3G", .dry_run = true}, EPERM).find("root"), std::string::npos);
}

TEST_F(TargetTest, DryRunUpward) {
  module_.info.out_unplugged_size = gib;
  module_.answer = done_with(0, MEMPLUG_STOP_EXHAUSTED);
  EXPECT_EQ(run({.what = "4G", .dry_run = true}), ExitStatus::Failure);
  EXPECT_EQ(module_.operation, Operation::Plug);
  EXPECT_NE(failure_of({.what = "100G", .dry_run = true}, ERANGE).find("the most is 4GiB"),
            std::string::npos);
}

TEST_F(TargetTest, SavedForWhenTheModuleIsLoaded) {
  surroundings_.saved_target = machine_.root() + "/etc/modprobe.d/memplug-target.conf";
  EXPECT_EQ(target_of({.what = "3G", .save = true}), 3 * gib);
  std::ostringstream text;
  text << std::ifstream(surroundings_.saved_target).rdbuf();
  EXPECT_NE(text.str().find("\noptions memplug target=3221225472\n"), std::string::npos);
  EXPECT_TRUE(said("saved in " + surroundings_.saved_target)) << captured_.prose();
  EXPECT_EQ(target_of({.what = "none", .save = true}), MEMPLUG_NO_TARGET);
  EXPECT_FALSE(std::filesystem::exists(surroundings_.saved_target));
  EXPECT_EQ(target_of({.what = "none", .save = true}), MEMPLUG_NO_TARGET);
}

TEST_F(TargetTest, WhatIsRefusedIsNotSaved) {
  surroundings_.saved_target = machine_.root() + "/memplug-target.conf";
  module_.answer_target = [](memplug_target&) { return EPERM; };
  static_cast<void>(failure_of({.what = "3G", .save = true}, EPERM));
  EXPECT_FALSE(std::filesystem::exists(surroundings_.saved_target));
}

TEST_F(TargetTest, TargetThatCannotBeSavedIsSet) {
  machine_.write("/a-file", "");
  surroundings_.saved_target = machine_.root() + "/a-file/memplug-target.conf";
  const std::string message = failure_of({.what = "3G", .save = true}, ENOTDIR);
  EXPECT_NE(message.find("the target is set, but not saved"), std::string::npos) << message;
  EXPECT_EQ(message.find("another file"), std::string::npos) << message;
  EXPECT_TRUE(module_.target.has_value());
}

TEST_F(TargetTest, ShownWithMemTotal) {
  machine_has(6 * gib);
  module_.info.out_target_size = 3 * gib;
  module_.info.out_target_state = MEMPLUG_TARGET_BLOCKED;
  EXPECT_EQ(json_of({}).at("total_size"), 6 * gib);
}

}  // namespace
}  // namespace memplug::test
