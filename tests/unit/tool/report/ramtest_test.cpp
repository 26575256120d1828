// SPDX-License-Identifier: MIT
// Reports of the verb test.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "golden_file.hpp"
#include "report/report.hpp"

namespace memplug::test {
namespace {

using namespace std::chrono_literals;
using Kind = Hindrance::Kind;

constexpr std::uint64_t mib = 1ULL << 20U;
constexpr std::uint64_t gib = 1ULL << 30U;

Range at(std::uint64_t start, std::uint64_t size) { return {PhysAddr{start}, Bytes{size}}; }

TestReport some_report() {
  TestReport report;
  report.requested = Bytes{1200 * mib};
  report.tested = Bytes{1000 * mib};
  report.bad_size = Bytes{68 * mib};
  report.loops = 2;
  report.tests = {0, 8};
  report.bad = {
      {at(5 * gib, 4 * mib), 0, {PhysAddr{5 * gib + 4096}, PhysAddr{5 * gib + 8192}}, true},
      {at(6 * gib, 64 * mib), 1, {}, false}};
  report.untested = {{at(7 * gib, 100 * mib), {Kind::Blocked, Reason::Unmovable}},
                     {at(8 * gib, 4 * mib), {Kind::Unplugged, Reason::Unknown}},
                     {at(9 * gib, 48 * mib), {Kind::NoVerdict, Reason::Unknown}},
                     {at(10 * gib, 52 * mib), {Kind::Interrupted, Reason::Unknown}}};
  report.memtester_version = "4.6.0";
  report.elapsed = 1234567ns;
  report.end = TestReport::End::Interrupted;
  report.resume_file = "/var/tmp/state";
  report.file = "/etc/memplug/quarantine";
  return report;
}

TEST(TestReports, Json) { expect_golden("test.json", test_json(some_report())); }

TEST(TestReports, EmptyJsonHasAllKeys) { expect_golden("test-empty.json", test_json({})); }

TEST(TestReports, Text) { expect_golden("test.txt", test_text(some_report(), {})); }

TEST(TestReports, VerboseText) {
  OutputStyle style;
  style.verbose = true;
  expect_golden("test-verbose.txt", test_text(some_report(), style));
}

TEST(TestReports, QuietTextHasRecordsOnly) {
  OutputStyle style;
  style.quiet = true;
  style.bytes = true;
  const std::string text = test_text(some_report(), style);
  EXPECT_EQ(text.find("BAD"), std::string::npos) << text;
  EXPECT_NE(text.find("67108864"), std::string::npos) << text;
}

TEST(TestReports, AllCoveredIsOneAndNearlyAllIsLess) {
  TestReport report;
  report.requested = Bytes{1ULL << 40U};
  report.tested = Bytes{(1ULL << 40U) - 1};
  const auto coverage = [&report] {
    return nlohmann::json::parse(test_json(report)).at("coverage");
  };
  EXPECT_EQ(coverage(), 0.9999);
  report.tested = report.requested;
  EXPECT_EQ(coverage(), 1.0);
}

TEST(TestReports, ManyBadPagesAreCut) {
  TestReport report = some_report();
  report.bad[0].pages.clear();
  for (std::uint64_t i = 0; i < 100; ++i) {
    report.bad[0].pages.push_back(PhysAddr{5 * gib + i * 8192});
  }
  EXPECT_NE(test_text(report, {}).find("\nand 84 more, which -v tells\n"), std::string::npos);
  OutputStyle style;
  style.verbose = true;
  EXPECT_EQ(test_text(report, style).find("more, which -v tells"), std::string::npos);
}

}  // namespace
}  // namespace memplug::test
