// SPDX-License-Identifier: MIT
// Events, and the verbs watch and metrics.
#include <gtest/gtest.h>

#include <cerrno>
#include <chrono>
#include <ctime>
#include <iomanip>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>
#include <string>

#include "fake_channel.hpp"
#include "memplug/failure.hpp"
#include "verbs/metrics.hpp"
#include "verbs/watch.hpp"

namespace memplug::test {
namespace {

memplug_event event(std::uint64_t generation, std::uint32_t type) {
  memplug_event event{};
  event.generation = generation;
  event.time_ns = generation * 1'000'000'000;
  event.type = type;
  event.node = -1;
  return event;
}

memplug_event unplugged(std::uint64_t generation, std::uint64_t start) {
  memplug_event one = event(generation, MEMPLUG_EVENT_UNPLUGGED);
  one.cause = MEMPLUG_CAUSE_REQUEST;
  one.node = 0;
  one.start = start;
  one.length = 4 * mib;
  one.value = 4 * mib;
  return one;
}

class Watch : public testing::Test {
 protected:
  // The events come one by one, each after a wait.
  void happen(std::vector<memplug_event> events) {
    coming_ = std::move(events);
    module_.answer_wait = [this](int earlier, std::chrono::milliseconds /*timeout*/) {
      const auto number = static_cast<std::size_t>(earlier);
      if (number >= coming_.size()) {
        return ETIMEDOUT;
      }
      module_.events = {coming_[number]};
      return 0;
    };
  }

  std::vector<nlohmann::json> watch_json(const WatchOptions& options) {
    captured_.output.style.json = true;
    EXPECT_EQ(run_watch(options, opener(module_), captured_.output), ExitStatus::Success);
    std::vector<nlohmann::json> objects;
    std::istringstream lines(captured_.data());
    for (std::string line; std::getline(lines, line);) {
      objects.push_back(nlohmann::json::parse(line));
    }
    return objects;
  }

  static WatchOptions count(const char* number) {
    WatchOptions options;
    options.count = number;
    return options;
  }

  FakeModule module_;
  Captured captured_;
  std::vector<memplug_event> coming_;
};

TEST_F(Watch, ShowsEachEventOnALine) {
  memplug_event target = event(8, MEMPLUG_EVENT_TARGET);
  target.value = MEMPLUG_NO_TARGET;
  memplug_event state = event(9, MEMPLUG_EVENT_TARGET_STATE);
  state.value = MEMPLUG_TARGET_FLOOR;
  happen({unplugged(7, 5 * gib), target, state});
  const auto objects = watch_json(count("3"));
  ASSERT_EQ(objects.size(), 3U);
  nlohmann::json first = objects[0];
  first.erase("wall_time");
  EXPECT_EQ(first, nlohmann::json::parse(R"({
    "schema_version":1,"generation":7,"time_us":7000000,"event":"unplugged","cause":"request",
    "range":"0x0000000140000000-0x00000001403fffff","start":5368709120,"size":4194304,"node":0,
    "total_size":4194304,"target_size":null,"state":null,"lost":0})"));
  EXPECT_EQ(objects[1].at("event"), "target");
  EXPECT_EQ(objects[1].at("target_size"), nullptr);
  EXPECT_EQ(objects[1].at("cause"), nullptr);
  EXPECT_EQ(objects[2].at("state"), "floor");
  EXPECT_EQ(module_.opened_for, Access::Read);
}

TEST_F(Watch, EndsAfterAsManyAsAskedForAlsoInOneGo) {
  module_.answer_wait = [this](int /*earlier*/, std::chrono::milliseconds /*timeout*/) {
    module_.events = {unplugged(7, 5 * gib), unplugged(8, 6 * gib), unplugged(9, 7 * gib)};
    return 0;
  };
  EXPECT_EQ(watch_json(count("2")).size(), 2U);
}

TEST_F(Watch, EndsWhenItsTimeIsOver) {
  WatchOptions options;
  options.timeout = "1ms";
  EXPECT_TRUE(watch_json(options).empty());
}

TEST_F(Watch, SendsEventsOnBeforeItWaits) {
  std::string sent_before_second;
  happen({unplugged(7, 5 * gib), unplugged(8, 6 * gib)});
  captured_.output.flush = [this, &sent_before_second] { sent_before_second = captured_.data(); };
  static_cast<void>(watch_json(count("2")));
  EXPECT_NE(sent_before_second.find("\"generation\":7"), std::string::npos);
  EXPECT_EQ(sent_before_second.find("\"generation\":8"), std::string::npos);
}

TEST_F(Watch, TellsWhatWasLost) {
  memplug_event late = unplugged(1000, 5 * gib);
  late.lost = 12;
  happen({late});
  EXPECT_EQ(watch_json(count("1")).at(0).at("lost"), 12);
  EXPECT_NE(captured_.prose().find("12 events came too fast"), std::string::npos)
      << captured_.prose();
}

TEST_F(Watch, WithheldAddressesAreNull) {
  happen({unplugged(7, 0)});
  const auto object = watch_json(count("1")).at(0);
  EXPECT_EQ(object.at("start"), nullptr);
  EXPECT_EQ(object.at("range"), nullptr);
  EXPECT_EQ(object.at("size"), 4 * mib);
}

TEST_F(Watch, AnEventOfANewerModuleIsShownAsUnknown) {
  happen({event(7, 99)});
  EXPECT_EQ(watch_json(count("1")).at(0).at("event"), "unknown");
}

TEST_F(Watch, ForPeopleSaysWhatWhereAndWhy) {
  happen({unplugged(7, 5 * gib)});
  WatchOptions options = count("1");
  options.monotonic = true;
  EXPECT_EQ(run_watch(options, opener(module_), captured_.output), ExitStatus::Success);
  EXPECT_EQ(captured_.data(),
            "      7.000000  unplugged     0x0000000140000000-0x00000001403fffff  4 MiB  node 0  "
            "request\n");
  EXPECT_EQ(captured_.prose(), "memplugctl: watch: waiting for events\n");
}

// What has just happened, on both clocks.
TEST_F(Watch, TellsTheTimeOfDay) {
  const auto before = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  memplug_event now = unplugged(7, 5 * gib);
  now.time_ns = static_cast<std::uint64_t>(
      std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count());
  happen({now});
  const std::string text = watch_json(count("1")).at(0).at("wall_time");
  const auto after = std::chrono::system_clock::now();
  std::tm parts{};
  std::istringstream(text) >> std::get_time(&parts, "%Y-%m-%dT%H:%M:%S");
  const auto told = std::chrono::system_clock::from_time_t(::timegm(&parts));
  EXPECT_TRUE(told >= before && told <= after) << text;
  EXPECT_EQ(text.size(), std::string("2026-01-01T00:00:00.000000Z").size()) << text;
  EXPECT_TRUE(text.ends_with("Z")) << text;
}

TEST_F(Watch, TheTimeOfDayIsLocalForPeople) {
  happen({unplugged(7, 5 * gib)});
  EXPECT_EQ(run_watch(count("1"), opener(module_), captured_.output), ExitStatus::Success);
  EXPECT_TRUE(std::regex_match(
      captured_.data(),
      std::regex(R"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}  unplugged     0x0+140000000-.*\n)")))
      << captured_.data();
}

TEST_F(Watch, OnlyTheEventsThatAreAskedFor) {
  memplug_event state = event(9, MEMPLUG_EVENT_TARGET_STATE);
  memplug_event lossy = unplugged(8, 6 * gib);
  lossy.lost = 3;
  happen({unplugged(7, 5 * gib), lossy, state, event(10, MEMPLUG_EVENT_TARGET)});
  WatchOptions options = count("2");
  options.events = "target,target_state";
  const auto objects = watch_json(options);
  ASSERT_EQ(objects.size(), 2U);
  EXPECT_EQ(objects[0].at("event"), "target_state");
  EXPECT_EQ(objects[0].at("lost"), 3) << "lost before an event that is not shown";
  EXPECT_EQ(objects[1].at("lost"), 0);
}

TEST_F(Watch, EventsThatDoNotExistAreUsageErrors) {
  for (const char* events : {"", "unplug", "unplugged,", "unplugged, plugged", "unknown"}) {
    WatchOptions options;
    options.events = events;
    EXPECT_THROW(static_cast<void>(run_watch(options, opener(module_), captured_.output)),
                 UsageError)
        << events;
  }
}

TEST_F(Watch, CountsThatCantBeAreUsageErrors) {
  for (const char* number : {"0", "-1", "1.5", "", "x", "01", "99999999999999999999"}) {
    EXPECT_THROW(static_cast<void>(run_watch(count(number), opener(module_), captured_.output)),
                 UsageError)
        << number;
  }
}

TEST_F(Watch, AModuleWithoutEventsIsToldApart) {
  module_.info.out_features &= ~std::uint64_t{MEMPLUG_FEATURE_EVENTS};
  EXPECT_THROW(static_cast<void>(run_watch({}, opener(module_), captured_.output)), Failure);
}

class MetricsVerb : public testing::Test {
 protected:
  std::string metrics() {
    EXPECT_EQ(run_metrics({}, opener(module_), captured_.output), ExitStatus::Success);
    return captured_.data();
  }

  FakeModule module_;
  Captured captured_;
};

TEST_F(MetricsVerb, AreInBaseUnitsAndByNode) {
  module_.nodes = {{0, 0, 2 * gib, gib}, {1, 0, 2 * gib, 0}};
  module_.counters.out_pages_migrated = 10;
  module_.counters.out_claim_ns = 1'500'000'000;
  const std::string text = metrics();
  for (const char* line :
       {"memplug_managed_bytes{node=\"1\"} 2147483648\n",
        "memplug_unplugged_bytes{node=\"0\"} 1073741824\n", "memplug_migrated_bytes_total 40960\n",
        "memplug_claim_seconds_total 1.5\n", "memplug_target_state{state=\"none\"} 1\n",
        "# TYPE memplug_claims_total counter\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
  }
  EXPECT_EQ(text.find("memplug_target_bytes"), std::string::npos) << "there is no target";
}

TEST_F(MetricsVerb, HaveATargetIfThereIsOne) {
  module_.info.out_target_size = 3 * gib;
  module_.info.out_target_state = MEMPLUG_TARGET_WORKING;
  const std::string text = metrics();
  EXPECT_NE(text.find("memplug_target_bytes 3221225472\n"), std::string::npos) << text;
  EXPECT_NE(text.find("memplug_target_state{state=\"working\"} 1\n"), std::string::npos) << text;
}

TEST_F(MetricsVerb, AreNotJson) {
  captured_.output.style.json = true;
  EXPECT_THROW(static_cast<void>(run_metrics({}, opener(module_), captured_.output)), UsageError);
}

}  // namespace
}  // namespace memplug::test
