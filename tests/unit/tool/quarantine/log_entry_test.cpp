// SPDX-License-Identifier: MIT
// Who said what in a log, and when.
#include "quarantine/log_entry.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

namespace memplug::test {
namespace {

using namespace std::chrono_literals;

constexpr LogEntry::Time now{1h};

nlohmann::json kernel_entry() {
  return {{"_TRANSPORT", "kernel"},
          {"PRIORITY", "3"},
          {"__REALTIME_TIMESTAMP", "1700000000000001"},
          {"MESSAGE", "Memory failure: 0x1: x"}};
}

std::optional<LogEntry> read(const nlohmann::json& entry) {
  return read_log_line(entry.dump(), now);
}

TEST(LogEntry, TheJournalSaysWhoAndWhen) {
  const auto entry = read(kernel_entry());
  ASSERT_TRUE(entry);
  EXPECT_EQ(entry->source, LogSource::Kernel);
  EXPECT_EQ(entry->message, "Memory failure: 0x1: x");
  EXPECT_EQ(entry->when.time_since_epoch(), 1700000000000001us);
}

TEST(LogEntry, ServicesAreTheirUnits) {
  nlohmann::json entry = kernel_entry();
  entry["_TRANSPORT"] = "stdout";
  for (const auto& [unit, source] : {std::pair{"rasdaemon.service", LogSource::Rasdaemon},
                                     std::pair{"mcelog.service", LogSource::Mcelog}}) {
    entry["_SYSTEMD_UNIT"] = unit;
    EXPECT_EQ(read(entry).value().source, source);
  }
}

TEST(LogEntry, OthersHaveNoSay) {
  nlohmann::json entry = kernel_entry();
  for (const char* transport : {"stdout", "syslog", "journal", ""}) {
    entry["_TRANSPORT"] = transport;
    EXPECT_FALSE(read(entry)) << transport;
  }
  entry["SYSLOG_IDENTIFIER"] = "kernel";
  entry["_SYSTEMD_UNIT"] = "user@1000.service";
  EXPECT_FALSE(read(entry));
  entry["_COMM"] = "rasdaemon";
  EXPECT_FALSE(read(entry));
}

TEST(LogEntry, WhatIsNoWarningMayBeginWithAUsersWords) {
  nlohmann::json entry = kernel_entry();
  for (const char* priority : {"0", "4"}) {
    entry["PRIORITY"] = priority;
    EXPECT_TRUE(read(entry)) << priority;
  }
  for (const char* priority : {"5", "6", "7", "", "33", "-1", "x"}) {
    entry["PRIORITY"] = priority;
    EXPECT_FALSE(read(entry)) << priority;
  }
  entry.erase("PRIORITY");
  EXPECT_FALSE(read(entry));
}

TEST(LogEntry, WhatIsNotWholeIsNone) {
  for (const char* field : {"_TRANSPORT", "__REALTIME_TIMESTAMP", "MESSAGE"}) {
    nlohmann::json entry = kernel_entry();
    entry.erase(field);
    EXPECT_FALSE(read(entry)) << field;
    entry[field] = {69, 68, 65, 67};
    EXPECT_FALSE(read(entry)) << field << " that is no text";
    entry[field] = nullptr;
    EXPECT_FALSE(read(entry)) << field;
  }
  for (const char* time : {"", "x", "-1", "1x", "9223372036854775807", "99999999999999999999"}) {
    nlohmann::json entry = kernel_entry();
    entry["__REALTIME_TIMESTAMP"] = time;
    EXPECT_FALSE(read(entry)) << time;
  }
  const std::string whole = kernel_entry().dump();
  for (std::size_t length = 1; length < whole.size(); ++length) {
    EXPECT_FALSE(read_log_line(whole.substr(0, length), now)) << length;
  }
  EXPECT_FALSE(read_log_line("{" + std::string(60000, '['), now));
}

TEST(LogEntry, TextIsAsOfNow) {
  for (const char* line : {"EDAC MC0: 1 CE", "[   12.345678] EDAC MC0: 1 CE",
                           "Jan  1 00:00:00 host kernel: EDAC MC0: 1 CE",
                           "Jan  1 00:00:00 host kernel: [   12.345678] EDAC MC0: 1 CE",
                           "2026-01-01T00:00:00+00:00 host rasdaemon[12]: EDAC MC0: 1 CE",
                           "Jan  1 00:00:00 host mcelog[12]: EDAC MC0: 1 CE"}) {
    const auto entry = read_log_line(line, now);
    ASSERT_TRUE(entry) << line;
    EXPECT_EQ(entry->message, "EDAC MC0: 1 CE") << line;
    EXPECT_EQ(entry->source, LogSource::Text);
    EXPECT_EQ(entry->when, now);
  }
}

TEST(LogEntry, OthersWordsStayBeforeIt) {
  for (const char* line : {"Jan  1 00:00:00 host su[12]: EDAC MC0: 1 CE", "[x] EDAC MC0: 1 CE",
                           "Jan  1 00:00:00 host kernel: tmpfs: EDAC MC0: 1 CE"}) {
    EXPECT_FALSE(read_log_line(line, now).value().message.starts_with("EDAC")) << line;
  }
}

}  // namespace
}  // namespace memplug::test
