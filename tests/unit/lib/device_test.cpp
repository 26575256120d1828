// SPDX-License-Identifier: MIT
// Device against the fake module: lists that outgrow their buffer, withheld addresses, results.
#include "memplug/device.hpp"

#include <gtest/gtest.h>

#include <cerrno>

#include "fake_channel.hpp"
#include "sysfs_tree.hpp"

namespace memplug::test {
namespace {

// The layout is the contract; a change here breaks every tool that was built before.
static_assert(sizeof(memplug_info) == 176);
static_assert(offsetof(memplug_info, out_module_version) == 16);
static_assert(offsetof(memplug_info, out_nr_nodes) == 128);
static_assert(offsetof(memplug_info, out_wanted_other_zone_size) == 136);
static_assert(offsetof(memplug_info, out_target_state) == 144);
static_assert(offsetof(memplug_info, out_others) == 148);
static_assert(offsetof(memplug_info, out_low_managed_size) == 152);
static_assert(offsetof(memplug_info, out_low_unplugged_size) == 160);
static_assert(offsetof(memplug_info, out_low_reserve_size) == 168);
static_assert(sizeof(memplug_counters) == 104);
static_assert(offsetof(memplug_counters, out_oom_events) == 88);
static_assert(sizeof(memplug_target) == 16 && offsetof(memplug_target, target) == 8);
static_assert(offsetof(memplug_nodes, out_generation) == 24);
static_assert(offsetof(memplug_range, flags) == 16 && offsetof(memplug_range, holder) == 24);
static_assert(offsetof(memplug_list, out_flags) == 32);
static_assert(offsetof(memplug_progress, out_requested) == 16);
static_assert(offsetof(memplug_blocked, reason) == 24);
static_assert(offsetof(memplug_request, timeout_ns) == 48);
static_assert(offsetof(memplug_request, node) == 56);
static_assert(offsetof(memplug_request, blocked_capacity) == 80);
static_assert(offsetof(memplug_request, out_requested) == 104);

std::vector<memplug_range> many_ranges(std::size_t count) {
  std::vector<memplug_range> ranges;
  for (std::uint64_t i = 0; i < count; ++i) {
    ranges.push_back({4 * gib + 8 * mib * i, 4 * mib, 0, 0, 0, 0});
  }
  return ranges;
}

class DeviceTest : public testing::Test {
 protected:
  FakeModule module_;
  Device device_{make_channel(module_)};
};

TEST_F(DeviceTest, InfoIsTranslated) {
  module_.info.out_target_size = 3 * gib;
  const Info info = device_.info();
  EXPECT_EQ(info.module_version, "0.1.0");
  EXPECT_EQ(info.subblock.value, 4 * mib);
  EXPECT_EQ(info.managed.value, 4 * gib);
  EXPECT_EQ(info.target.value_or(Bytes{}).value, 3 * gib);
  EXPECT_EQ(info.generation, 7U);
}

TEST_F(DeviceTest, AModuleWithoutASubblockIsRefused) {
  module_.info.out_subblock_size = 0;
  try {
    static_cast<void>(device_.info());
    FAIL() << "nothing can be counted in subblocks of no bytes";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code().value(), EPROTO);
  }
}

TEST_F(DeviceTest, NoTargetIsNothing) { EXPECT_FALSE(device_.info().target.has_value()); }

TEST_F(DeviceTest, WhatCameAfterTheFirstVersionIsTranslated) {
  module_.info.out_wanted_other_zone_size = 128 * mib;
  module_.info.out_target_state = MEMPLUG_TARGET_BLOCKED;
  module_.info.out_low_managed_size = gib;
  module_.info.out_low_unplugged_size = 64 * mib;
  module_.info.out_low_reserve_size = 256 * mib;
  module_.counters.out_oom_events = 2;
  module_.counters.out_oom_pages = 4096;
  const Info info = device_.info();
  EXPECT_EQ(info.features, module_.info.out_features);
  EXPECT_EQ(info.wanted_other_zone.value, 128 * mib);
  EXPECT_EQ(info.target_state, TargetState::Blocked);
  EXPECT_EQ(info.low_managed.value, gib);
  EXPECT_EQ(info.low_unplugged.value, 64 * mib);
  EXPECT_EQ(info.low_reserve.value, 256 * mib);
  EXPECT_EQ(device_.counters().oom_events, 2U);
  EXPECT_EQ(device_.counters().oom_pages, 4096U);
}

TEST_F(DeviceTest, ModuleOfTheFirstVersionLeavesTheRestZero) {
  module_.first_version = true;
  module_.info.out_wanted_other_zone_size = 128 * mib;
  module_.info.out_target_state = MEMPLUG_TARGET_BLOCKED;
  module_.info.out_features |= MEMPLUG_FEATURE_OTHERS;
  module_.info.out_others = MEMPLUG_OTHER_VIRTIO_MEM;
  module_.info.out_low_managed_size = gib;
  module_.counters.out_claim_ns = 7;
  module_.counters.out_oom_events = 2;
  const Info info = device_.info();
  EXPECT_EQ(info.managed.value, 4 * gib);
  EXPECT_EQ(info.wanted_other_zone.value, 0U);
  EXPECT_EQ(info.target_state, TargetState::None);
  EXPECT_TRUE(info.others.empty());
  EXPECT_EQ(info.low_managed.value, 0U);
  EXPECT_EQ(device_.counters().claim.count(), 7);
  EXPECT_EQ(device_.counters().oom_events, 0U);
}

TEST_F(DeviceTest, StateOfANewerModuleIsWaitedOut) {
  module_.info.out_target_state = 999;
  EXPECT_EQ(device_.info().target_state, TargetState::Working);
}

TEST_F(DeviceTest, OtherDriversAreFoundInSysfs) {
  const SysfsTree sysfs;
  sysfs.bind("virtio/drivers/virtio_mem", "virtio0");
  Device device(make_channel(module_), sysfs.root());
  EXPECT_EQ(device.info().others, std::vector{OtherDriver::VirtioMem});
  // Each time anew.
  sysfs.bind("virtio/drivers/virtio_balloon", "virtio1");
  EXPECT_EQ(device.info().others,
            (std::vector{OtherDriver::VirtioMem, OtherDriver::VirtioBalloon}));
}

TEST_F(DeviceTest, WhatAnOlderModuleHasFoundCountsToo) {
  module_.info.out_features |= MEMPLUG_FEATURE_OTHERS;
  module_.info.out_others = 1U << 31U | MEMPLUG_OTHER_XEN_BALLOON | MEMPLUG_OTHER_VIRTIO_BALLOON;
  EXPECT_EQ(device_.info().others,
            (std::vector{OtherDriver::VirtioBalloon, OtherDriver::XenBalloon}));
  const SysfsTree sysfs;
  sysfs.bind("virtio/drivers/virtio_balloon", "virtio0");
  sysfs.bind("virtio/drivers/virtio_mem", "virtio1");
  Device device(make_channel(module_), sysfs.root());
  EXPECT_EQ(device.info().others, (std::vector{OtherDriver::VirtioMem, OtherDriver::VirtioBalloon,
                                               OtherDriver::XenBalloon}));
}

TEST_F(DeviceTest, ModuleThatDoesNotSayThatItLooksTellsOfNone) {
  module_.info.out_others = MEMPLUG_OTHER_VIRTIO_MEM;
  EXPECT_TRUE(device_.info().others.empty());
}

TEST_F(DeviceTest, TargetIsSetAndEnded) {
  device_.set_target(Bytes{3 * gib});
  ASSERT_TRUE(module_.target.has_value());
  EXPECT_EQ(module_.target->size, sizeof(memplug_target));
  EXPECT_EQ(module_.target->flags, 0U);
  EXPECT_EQ(module_.target->target, 3 * gib);
  device_.set_target(std::nullopt);
  EXPECT_EQ(module_.target->target, MEMPLUG_NO_TARGET);
}

TEST_F(DeviceTest, RefusedTargetKeepsItsErrno) {
  module_.answer_target = [](memplug_target&) { return ERANGE; };
  try {
    device_.set_target(Bytes{3 * gib});
    FAIL() << "ERANGE was taken for success";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code().value(), ERANGE);
  }
}

TEST_F(DeviceTest, WaitTellsChangeTimeAndSignalApart) {
  int answer = 0;
  module_.answer_wait = [&answer](int /*earlier*/, std::chrono::milliseconds timeout) {
    EXPECT_EQ(timeout.count(), 17);
    return answer;
  };
  const std::chrono::milliseconds timeout{17};
  EXPECT_EQ(device_.wait(timeout), Waited::Changed);
  answer = ETIMEDOUT;
  EXPECT_EQ(device_.wait(timeout), Waited::TimedOut);
  answer = EINTR;
  EXPECT_EQ(device_.wait(timeout), Waited::Interrupted);
  answer = EIO;
  EXPECT_THROW(static_cast<void>(device_.wait(timeout)), std::system_error);
}

TEST_F(DeviceTest, VersionThatFillsItsFieldIsNotOverrun) {
  std::fill(std::begin(module_.info.out_module_version), std::end(module_.info.out_module_version),
            'x');
  EXPECT_EQ(device_.info().module_version, std::string(32, 'x'));
}

TEST_F(DeviceTest, ListGrowsUntilItFits) {
  module_.ranges = many_ranges(5000);
  const RangeList list = device_.list();
  ASSERT_EQ(list.ranges.size(), 5000U);
  EXPECT_EQ(list.ranges.back().start.value_or(PhysAddr{}).value, module_.ranges.back().start);
  EXPECT_EQ(module_.list_calls, 2);
}

TEST_F(DeviceTest, ListThatGrowsBetweenCallsIsAskedAgain) {
  module_.before_list = [this](int earlier) {
    module_.ranges = many_ranges(earlier == 0 ? 1000 : 4000);
  };
  EXPECT_EQ(device_.list().ranges.size(), 4000U);
  EXPECT_EQ(module_.list_calls, 3);
}

TEST_F(DeviceTest, ListThatNeverFitsIsGivenUp) {
  module_.before_list = [this](int /*earlier*/) {
    module_.ranges = many_ranges(module_.ranges.size() * 9 / 8 + 300);
  };
  try {
    static_cast<void>(device_.list());
    FAIL() << "a list that never fitted was returned";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code().value(), EMSGSIZE);
  }
}

TEST_F(DeviceTest, ListThatShrinksIsCutToWhatWasWritten) {
  module_.before_list = [this](int earlier) {
    module_.ranges = many_ranges(earlier == 0 ? 1000 : 3);
  };
  EXPECT_EQ(device_.list().ranges.size(), 3U);
}

TEST_F(DeviceTest, NodesGrowUntilTheyFit) {
  module_.nodes.clear();
  for (int node = 0; node < 1024; ++node) {
    module_.nodes.push_back({node, 0, gib, 4 * mib});
  }
  const NodeList list = device_.nodes();
  ASSERT_EQ(list.nodes.size(), 1024U);
  EXPECT_EQ(list.nodes.back().node, 1023);
  EXPECT_EQ(module_.node_calls, 2);
}

TEST_F(DeviceTest, WithheldAddressesAreNothing) {
  module_.ranges = {{0, 4 * mib, 0, 0, 0, 0}};
  module_.list_flags = MEMPLUG_OUT_WITHHELD;
  const RangeList list = device_.list();
  ASSERT_EQ(list.ranges.size(), 1U);
  EXPECT_FALSE(list.ranges[0].start.has_value());
  EXPECT_EQ(list.ranges[0].size.value, 4 * mib);
}

TEST_F(DeviceTest, AddressZeroThatIsNotWithheldIsAnAddress) {
  module_.ranges = {{0, 4 * mib, 0, 0, 0, 0}};
  EXPECT_TRUE(device_.list().ranges[0].start.has_value());
}

TEST_F(DeviceTest, RangeFlagsAreTranslated) {
  module_.ranges = {
      {4 * gib, 4 * mib, MEMPLUG_RANGE_TIED | MEMPLUG_RANGE_MAPPED, 1, 321, 0},
      {5 * gib, 4 * mib, MEMPLUG_RANGE_QUARANTINED, 0, 0, 0},
  };
  const auto ranges = device_.list().ranges;
  EXPECT_EQ(ranges[0].holder.value_or(0), 321);
  EXPECT_TRUE(ranges[0].mapped);
  EXPECT_FALSE(ranges[0].quarantined);
  EXPECT_EQ(ranges[0].node, 1);
  EXPECT_FALSE(ranges[1].holder.has_value());
  EXPECT_TRUE(ranges[1].quarantined);
}

TEST_F(DeviceTest, RefusalKeepsItsErrno) {
  module_.answer = [](memplug_request&) { return EPERM; };
  try {
    static_cast<void>(device_.carry_out(Request{}, {}));
    FAIL() << "EPERM was taken for a result";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code().value(), EPERM);
  }
}

TEST_F(DeviceTest, UnmanagedPartIsTold) {
  module_.answer = [](memplug_request& request) {
    request.out_bad_start = 3 * gib;
    request.out_bad_length = 8 * mib;
    request.out_bad_why = MEMPLUG_BAD_ZONE;
    return ENXIO;
  };
  try {
    static_cast<void>(device_.carry_out(Request{}, {}));
    FAIL() << "ENXIO was taken for a result";
  } catch (const UnmanagedError& error) {
    EXPECT_EQ(error.part(), (Range{PhysAddr{3 * gib}, Bytes{8 * mib}}));
    EXPECT_EQ(error.why(), BadWhy::Zone);
  }
}

TEST_F(DeviceTest, ReasonsOfANewerModuleAreUnknown) {
  module_.answer = [](memplug_request& request) {
    put_blocked(request, {{4 * gib, 4 * mib, 0, 999, 0}});
    return 0;
  };
  const Result result = device_.carry_out(Request{}, {16, 16});
  ASSERT_EQ(result.blocked.size(), 1U);
  EXPECT_EQ(result.blocked[0].reason, Reason::Unknown);
  EXPECT_FALSE(result.blocked[0].pfn.has_value());
}

TEST_F(DeviceTest, ResultLongerThanItsCapacityIsTruncated) {
  module_.answer = [](memplug_request& request) {
    put_ranges(request, many_ranges(40));
    return 0;
  };
  const Result result = device_.carry_out(Request{}, {16, 16});
  EXPECT_EQ(result.ranges.size(), 16U);
  EXPECT_TRUE(result.truncated);
}

TEST_F(DeviceTest, NoProgressWithoutARequest) { EXPECT_FALSE(device_.progress().has_value()); }

TEST_F(DeviceTest, WhatWasMovedFromFailsAndCanBeAssignedTo) {
  Device other = std::move(device_);
  try {
    // NOLINTNEXTLINE(bugprone-use-after-move): that is what is tried
    static_cast<void>(device_.info());
    FAIL() << "a device that was moved away answered";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code().value(), EBADF);
  }
  device_ = std::move(other);
  EXPECT_EQ(device_.info().subblock, Bytes{4 * mib});
}

}  // namespace
}  // namespace memplug::test
