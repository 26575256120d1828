// SPDX-License-Identifier: MIT
// What a command found or did, as JSON and as text for people: the only place that knows field
// names. It adds no judgement and no advice; those are prose, for stderr.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "look/map.hpp"
#include "look/status.hpp"
#include "look/survey.hpp"
#include "memplug/device.hpp"
#include "ramtest/memory_book.hpp"
#include "terminal/output.hpp"

namespace memplug {

// How far the module is toward its target, when the command returns.
struct TargetReport {
  Info info;
  Stop stop = Stop::None;
  std::chrono::nanoseconds elapsed{};
  std::optional<Bytes> total;  // MemTotal; nothing: it is not told
  bool dry_run = false;        // it is what would be
};

struct VersionReport {
  std::string tool_version;
  std::uint32_t tool_abi = 0;
  std::optional<std::string> module_version;  // none: no module can be asked
  std::optional<std::uint32_t> module_abi;
};

struct Diagnosis;

// What could be taken now, and what is in the way of the rest.
struct ScanReport {
  std::optional<Range> within;
  Bytes align;
  SurveySums sums;
  Bytes could_be_unplugged;  // by one request, the floor included
  Stop stop = Stop::None;    // what would end it before all of it was done
};

// A stretch of memory, with what the kernel tells of the page frame in the way.
struct ExplainedStretch {
  Stretch stretch;
  std::optional<std::vector<std::string_view>> page_flags;
  std::optional<std::string> page_owner;
};

struct ExplainReport {
  Range range;
  std::vector<ExplainedStretch> stretches;
};

// What came of testing memory.
struct TestReport {
  enum class End { All, Interrupted, Failed };

  Bytes requested;
  Bytes tested;  // the bad included
  Bytes bad_size;
  std::uint64_t loops = 1;
  std::optional<std::vector<unsigned>> tests;  // none: all
  std::vector<BadStretch> bad;
  // By ascending address; also what was not requested, as somebody had unplugged it.
  std::vector<UntestedStretch> untested;
  std::optional<std::string> memtester_version;
  std::chrono::nanoseconds elapsed{};
  End end = End::All;
  std::optional<std::string> resume_file;
  std::optional<std::string> file;  // that has the bad pages

  [[nodiscard]] Bytes untested_size() const { return requested - tested; }
};

using WallTime = std::chrono::system_clock::time_point;

// Which columns a list has, and how they are printed.
struct ListLayout {
  enum class Column { Range, Start, End, Size, Node, State };
  std::vector<Column> columns{Column::Range, Column::Size, Column::Node, Column::State};
  bool headings = true;
  bool raw = false;  // a space between columns, no padding, and nothing but the rows
};
// Their headings, with commas. Throws UsageError that names those that there are.
[[nodiscard]] std::vector<ListLayout::Column> parse_columns(const std::string& text);

// Each ends with a newline and is one object.
[[nodiscard]] std::string status_json(const Status& status);
[[nodiscard]] std::string list_json(const std::vector<HeldRange>& ranges);
[[nodiscard]] std::string result_json(const Request& request, const Result& result);
[[nodiscard]] std::string target_json(const TargetReport& report);
[[nodiscard]] std::string test_json(const TestReport& report);
[[nodiscard]] std::string scan_json(const ScanReport& report);
[[nodiscard]] std::string map_json(const Map& map);
[[nodiscard]] std::string explain_json(const ExplainReport& report);
[[nodiscard]] std::string version_json(const VersionReport& report);
[[nodiscard]] std::string diagnosis_json(const Diagnosis& diagnosis);
[[nodiscard]] std::string error_json(std::optional<int> error_number, std::string_view message);

[[nodiscard]] std::string status_text(const Status& status, const OutputStyle& style);
[[nodiscard]] std::string list_text(const std::vector<HeldRange>& ranges, const OutputStyle& style,
                                    const ListLayout& layout = {});
[[nodiscard]] std::string result_text(const Request& request, const Result& result,
                                      const OutputStyle& style);
[[nodiscard]] std::string target_text(const TargetReport& report, const OutputStyle& style);
[[nodiscard]] std::string test_text(const TestReport& report, const OutputStyle& style);
[[nodiscard]] std::string scan_text(const ScanReport& report, const OutputStyle& style);
[[nodiscard]] std::string explain_text(const ExplainReport& report, const OutputStyle& style);
[[nodiscard]] std::string version_text(const VersionReport& report);
[[nodiscard]] std::string diagnosis_text(const Diagnosis& diagnosis, const OutputStyle& style);

// One line each.
[[nodiscard]] std::string error_json_line(std::optional<int> error_number,
                                          std::string_view message);
[[nodiscard]] std::string event_json(const Event& event, WallTime wall);
// Without a time of the wall clock with that of CLOCK_MONOTONIC.
[[nodiscard]] std::string event_text(const Event& event, std::optional<WallTime> wall,
                                     const OutputStyle& style);
// Prometheus's text format, base units.
[[nodiscard]] std::string metrics_text(const Status& status);

}  // namespace memplug
