// SPDX-License-Identifier: MIT
// The prose about shortfalls: each reason has words, each stop its own advice.
#include "report/shortfall.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <set>

#include "memplug.h"
#include "request/refusals.hpp"

namespace memplug {
namespace {

std::string explain(const Request& request, const Result& result) {
  Info info;
  info.managed = Bytes{1ULL << 32U};
  info.floor = Bytes{512ULL << 20U};
  return explain_result(request, info, result, {});
}

Result short_by_half(Stop stop) {
  Result result;
  result.requested = Bytes{8ULL << 20U};
  result.done = Bytes{4ULL << 20U};
  result.stop = stop;
  return result;
}

TEST(Shortfall, FullResultNeedsNoWords) {
  Result result;
  result.requested = result.done = Bytes{8ULL << 20U};
  EXPECT_EQ(explain({}, result), "");
}

TEST(Shortfall, EachStopHasItsOwnWords) {
  std::set<std::string> texts;
  for (const Stop stop : {Stop::Floor, Stop::Timeout, Stop::Interrupted, Stop::Exhausted}) {
    texts.insert(explain({}, short_by_half(stop)));
  }
  EXPECT_EQ(texts.size(), 4U);
  for (const std::string& text : texts) {
    EXPECT_EQ(text.rfind("memplugctl: unplug: 4 MiB of 8 MiB missing: ", 0), 0U) << text;
  }
}

TEST(Shortfall, EachReasonHasItsOwnWords) {
  std::set<std::string> texts;
  for (int reason = MEMPLUG_REASON_UNKNOWN; reason <= MEMPLUG_REASON_QUARANTINED; ++reason) {
    Result result = short_by_half(Stop::Exhausted);
    Blocked blocked;
    blocked.range = Range{PhysAddr{1ULL << 32U}, Bytes{4ULL << 20U}};
    blocked.reason = static_cast<Reason>(reason);
    result.blocked = {blocked};
    texts.insert(explain({}, result));
  }
  EXPECT_EQ(texts.size(), std::size_t{MEMPLUG_REASON_QUARANTINED} + 1);
}

TEST(Shortfall, ExactAndContiguousSayWhatLeavingThemOutDoes) {
  Request exact;
  exact.exact = true;
  EXPECT_NE(explain(exact, short_by_half(Stop::Exhausted)).find("without --exact"),
            std::string::npos);
  Request contiguous;
  contiguous.contiguous = true;
  EXPECT_NE(explain(contiguous, short_by_half(Stop::Exhausted)).find("without --contiguous"),
            std::string::npos);
}

std::string explain(TargetState state, Stop stop, Bytes plugged, Bytes target) {
  Info info;
  info.managed = Bytes{1ULL << 32U};
  info.unplugged = Bytes{info.managed.value - plugged.value};
  info.floor = Bytes{512ULL << 20U};
  info.target = target;
  info.target_state = state;
  return explain_target(info, stop, {});
}

TEST(Shortfall, TargetOnItsWayNeedsNoWords) {
  for (const TargetState state : {TargetState::None, TargetState::Reached, TargetState::Working}) {
    EXPECT_EQ(explain(state, Stop::None, Bytes{8}, Bytes{8}), "");
  }
}

TEST(Shortfall, EachEndOfATargetsWaitHasItsOwnWords) {
  const Bytes less{1ULL << 30U};
  const Bytes more{1ULL << 31U};
  const std::set<std::string> texts = {
      explain(TargetState::Floor, Stop::Floor, more, less),
      explain(TargetState::Working, Stop::Timeout, more, less),
      explain(TargetState::Working, Stop::Interrupted, more, less),
      explain(TargetState::Blocked, Stop::Timeout, more, less),
      explain(TargetState::Blocked, Stop::Timeout, less, more),
  };
  EXPECT_EQ(texts.size(), 5U);
  for (const std::string& text : texts) {
    EXPECT_EQ(text.rfind("memplugctl: target: ", 0), 0U) << text;
    EXPECT_NE(text.find("'memplugctl target none'"), std::string::npos) << text;
  }
}

TEST(Shortfall, OtherDriversAreOneSentence) {
  EXPECT_EQ(explain_others("unplug", {}), "");
  EXPECT_EQ(explain_others("unplug", {OtherDriver::XenBalloon}),
            "memplugctl: unplug: xen_balloon is at work here too: each works, but the sizes of "
            "memplug and of that driver together are hard to reason about\n");
  EXPECT_EQ(explain_others("status", {OtherDriver::VirtioMem, OtherDriver::VirtioBalloon,
                                      OtherDriver::HvBalloon}),
            "memplugctl: status: virtio_mem, virtio_balloon and hv_balloon are at work here too: "
            "each works, but the sizes of memplug and of those drivers together are hard to reason "
            "about\n");
}

TEST(Shortfall, UnmanagedWindowIsCalledAWindow) {
  Request request;
  request.window = Range{PhysAddr{0}, Bytes{1ULL << 30U}};
  const Failure failure = unmanaged_failure(request, UnmanagedError(*request.window, BadWhy::Zone),
                                            ZoneNames("/nonexistent"));
  EXPECT_NE(std::string(failure.what()).find("--within"), std::string::npos) << failure.what();
  EXPECT_FALSE(failure.next_step().empty());
}

TEST(Shortfall, EachKindOfUnmanagedMemoryHasItsOwnWords) {
  std::set<std::string> messages;
  const Range part{PhysAddr{1ULL << 32U}, Bytes{4ULL << 20U}};
  for (const BadWhy why :
       {BadWhy::Absent, BadWhy::Offline, BadWhy::Zone, BadWhy::Foreign, BadWhy::Mixed}) {
    const Failure failure =
        unmanaged_failure({}, UnmanagedError(part, why), ZoneNames("/nonexistent"));
    EXPECT_EQ(failure.code().value(), ENXIO);
    messages.insert(failure.what());
  }
  EXPECT_EQ(messages.size(), 5U);
}

}  // namespace
}  // namespace memplug
