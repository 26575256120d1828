// SPDX-License-Identifier: MIT
// Reports against golden files.
#include "report/report.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <nlohmann/json.hpp>

#include "golden_file.hpp"
#include "look/status.hpp"
#include "memplug.h"
#include "words/names.hpp"

namespace memplug {
namespace {

using namespace std::chrono_literals;
using test::expect_golden;

constexpr std::uint64_t mib = 1ULL << 20U;
constexpr std::uint64_t gib = 1ULL << 30U;

HeldRange range(std::uint64_t start, std::uint64_t size, int node) {
  HeldRange held;
  held.start = PhysAddr{start};
  held.size = Bytes{size};
  held.node = node;
  return held;
}

std::vector<HeldRange> ranges_of_all_kinds() {
  HeldRange tied = range(6 * gib, 8 * mib, 1);
  tied.holder = 321;
  tied.mapped = true;
  HeldRange bad = range(7 * gib, 4 * mib, 1);
  bad.quarantined = true;
  HeldRange withheld = range(0, 512 * mib, 0);
  withheld.start.reset();
  return {range(5 * gib, 64 * mib, 0), tied, bad, withheld};
}

Status some_status() {
  Status status;
  status.info.abi_version = 1;
  status.info.page_size = 4096;
  status.info.module_version = "0.1.0";
  status.info.granularity = Bytes{2 * mib};
  status.info.subblock = Bytes{4 * mib};
  status.info.managed = Bytes{4 * gib};
  status.info.unplugged = Bytes{588 * mib};
  status.info.floor = Bytes{600 * mib};
  status.nodes = {{0, Bytes{2 * gib}, Bytes{576 * mib}}, {1, Bytes{2 * gib}, Bytes{12 * mib}}};
  status.ranges = ranges_of_all_kinds();
  status.counters = {3,
                     1,
                     150,
                     2,
                     4711,
                     153600,
                     1024,
                     1,
                     std::chrono::milliseconds(1234),
                     std::chrono::milliseconds(5678),
                     0,
                     0};
  status.tool_version = "0.1.0";
  status.kernel = "6.1.0-28-amd64";
  return status;
}

Request some_request(Operation operation) {
  Request request;
  request.operation = operation;
  request.length = Bytes{128 * mib};
  return request;
}

Result partial_result() {
  Result result;
  result.requested = Bytes{128 * mib};
  result.done = Bytes{64 * mib};
  result.already = Bytes{4 * mib};
  result.ranges = {range(5 * gib, 64 * mib, 0)};
  result.blocked = {
      {{PhysAddr{6 * gib}, Bytes{8 * mib}}, 0, Reason::Unmovable, 1572870},
      {{PhysAddr{7 * gib}, Bytes{4 * mib}}, 1, Reason::NoMemory, std::nullopt},
  };
  result.truncated = true;
  result.stop = Stop::Exhausted;
  result.pages_migrated = 4711;
  result.elapsed = 1234567ns;
  return result;
}

Result full_result() {
  Result result;
  result.requested = result.done = Bytes{128 * mib};
  result.ranges = {range(5 * gib, 128 * mib, 0)};
  result.elapsed = 1500ms;
  return result;
}

TEST(Report, Metrics) { expect_golden("metrics.txt", metrics_text(some_status())); }

TEST(Report, StatusJson) { expect_golden("status.json", status_json(some_status())); }

TEST(Report, EmptyStatusJsonHasAllKeys) {
  expect_golden("status-empty.json", status_json(Status{}));
}

TEST(Report, StatusJsonWithTarget) {
  Status status = some_status();
  status.info.target = Bytes{3 * gib};
  EXPECT_EQ(nlohmann::json::parse(status_json(status)).at("target_size"), 3 * gib);
}

Status status_with_all_there_is() {
  Status status = some_status();
  status.info.wanted = Bytes{256 * mib};
  status.info.wanted_other_zone = Bytes{128 * mib};
  status.info.target = Bytes{3 * gib};
  status.info.target_state = TargetState::Floor;
  status.info.others = {OtherDriver::VirtioMem, OtherDriver::VirtioBalloon, OtherDriver::HvBalloon,
                        OtherDriver::XenBalloon};
  status.counters.oom_events = 2;
  status.counters.oom_pages = 2048;
  return status;
}

TEST(Report, StatusWithAllThereIsJson) {
  expect_golden("status-all.json", status_json(status_with_all_there_is()));
}

TEST(Report, StatusWithAllThereIsText) {
  OutputStyle style;
  style.verbose = true;
  expect_golden("status-all.txt", status_text(status_with_all_there_is(), style));
}

TargetReport some_target_report() {
  TargetReport report;
  report.info = some_status().info;
  report.info.target = Bytes{2 * gib};
  report.info.target_state = TargetState::Floor;
  report.info.wanted = Bytes{64 * mib};
  report.stop = Stop::Floor;
  report.elapsed = 1234567ns;
  return report;
}

TEST(Report, TargetJson) { expect_golden("target.json", target_json(some_target_report())); }

TEST(Report, NoTargetJson) {
  TargetReport report = some_target_report();
  report.info.target.reset();
  report.info.target_state = TargetState::None;
  report.stop = Stop::None;
  expect_golden("target-none.json", target_json(report));
}

TEST(Report, TargetText) {
  TargetReport report = some_target_report();
  const auto text = [&report](TargetState state) {
    report.info.target_state = state;
    return target_text(report, {});
  };
  EXPECT_EQ(text(TargetState::Reached), "target 2 GiB, plugged 3508 MiB: reached\n");
  EXPECT_EQ(text(TargetState::Working), "target 2 GiB, plugged 3508 MiB: working toward it\n");
  EXPECT_EQ(text(TargetState::Floor),
            "target 2 GiB, plugged 3508 MiB: the floor of 600 MiB stops it\n");
  EXPECT_EQ(text(TargetState::Blocked), "target 2 GiB, plugged 3508 MiB: blocked for now\n");
  report.info.floor = Bytes{0};
  EXPECT_EQ(text(TargetState::Floor),
            "target 2 GiB, plugged 3508 MiB: the zones' own reserves stop it\n");
}

TEST(Report, VerboseTargetTextTellsTheTime) {
  OutputStyle style;
  style.verbose = true;
  style.bytes = true;
  EXPECT_EQ(target_text(some_target_report(), style),
            "target 2147483648, plugged 3678404608: the floor of 629145600 stops it, after 0.00 "
            "s\n");
}

TEST(Report, TargetStateNamesFollowTheAbi) {
  EXPECT_EQ(target_state_name(static_cast<TargetState>(MEMPLUG_TARGET_NONE)), "none");
  EXPECT_EQ(target_state_name(static_cast<TargetState>(MEMPLUG_TARGET_REACHED)), "reached");
  EXPECT_EQ(target_state_name(static_cast<TargetState>(MEMPLUG_TARGET_WORKING)), "working");
  EXPECT_EQ(target_state_name(static_cast<TargetState>(MEMPLUG_TARGET_FLOOR)), "floor");
  EXPECT_EQ(target_state_name(static_cast<TargetState>(MEMPLUG_TARGET_BLOCKED)), "blocked");
}

TEST(Report, ListJson) { expect_golden("list.json", list_json(ranges_of_all_kinds())); }

TEST(Report, EmptyListJson) { expect_golden("list-empty.json", list_json({})); }

TEST(Report, PartialUnplugJson) {
  expect_golden("unplug-partial.json",
                result_json(some_request(Operation::Unplug), partial_result()));
}

TEST(Report, FullPlugJson) {
  expect_golden("plug-full.json", result_json(some_request(Operation::Plug), full_result()));
}

TEST(Report, DryRunJson) {
  Request request = some_request(Operation::Unplug);
  request.dry_run = true;
  EXPECT_EQ(nlohmann::json::parse(result_json(request, full_result())).at("dry_run"), true);
}

TEST(Report, ErrorJson) { expect_golden("error.json", error_json(EBUSY, "it is busy")); }

TEST(Report, UsageErrorJsonHasNoErrno) {
  expect_golden("error-usage.json", error_json(std::nullopt, "no such size"));
}

TEST(Report, ErrorJsonTakesBytesThatAreNotUtf8) {
  const auto json = nlohmann::json::parse(error_json(std::nullopt, "size '\xff'"));
  EXPECT_EQ(json.at("error").at("message"), "size '\xef\xbf\xbd'");
}

TEST(Report, StopNames) {
  Result result = full_result();
  const Request request = some_request(Operation::Unplug);
  const auto stopped_by = [&] {
    return nlohmann::json::parse(result_json(request, result)).at("stopped_by");
  };
  EXPECT_EQ(stopped_by(), nullptr);
  result.stop = Stop::Floor;
  EXPECT_EQ(stopped_by(), "floor");
  result.stop = Stop::Timeout;
  EXPECT_EQ(stopped_by(), "timeout");
  result.stop = Stop::Interrupted;
  EXPECT_EQ(stopped_by(), "interrupted");
  result.stop = Stop::Exhausted;
  EXPECT_EQ(stopped_by(), "exhausted");
}

TEST(Report, ReasonNamesFollowTheAbi) {
  const std::vector<std::string> names = {
      "unknown", "unmovable", "reserved", "pinned",  "hugetlb", "hwpoison", "cma",
      "busy",    "no_memory", "floor",    "offline", "mapped",  "held",     "quarantined"};
  for (std::size_t i = 0; i < names.size(); ++i) {
    EXPECT_EQ(reason_name(static_cast<Reason>(i)), names[i]);
  }
}

TEST(Report, StatusText) { expect_golden("status.txt", status_text(some_status(), {})); }

TEST(Report, VerboseStatusText) {
  OutputStyle style;
  style.verbose = true;
  expect_golden("status-verbose.txt", status_text(some_status(), style));
}

TEST(Report, ListText) { expect_golden("list.txt", list_text(ranges_of_all_kinds(), {})); }

TEST(Report, ListTextInBytes) {
  OutputStyle style;
  style.bytes = true;
  expect_golden("list-bytes.txt", list_text(ranges_of_all_kinds(), style));
}

TEST(Report, QuietListTextIsRecordsOnly) {
  OutputStyle style;
  style.quiet = true;
  EXPECT_EQ(list_text({range(5 * gib, 64 * mib, 0)}, style),
            "0x0000000140000000-0x0000000143ffffff  64 MiB  0  ordinary\n");
}

TEST(Report, PartialUnplugText) {
  expect_golden("unplug-partial.txt",
                result_text(some_request(Operation::Unplug), partial_result(), {}));
}

TEST(Report, VerbosePlugText) {
  OutputStyle style;
  style.verbose = true;
  expect_golden("plug-verbose.txt",
                result_text(some_request(Operation::Plug), full_result(), style));
}

}  // namespace
}  // namespace memplug
