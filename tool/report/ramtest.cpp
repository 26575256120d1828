// SPDX-License-Identifier: MIT
// Reports of the verb test: JSON, and text for people.
#include <algorithm>
#include <map>

#include "quarantine/bad_memory.hpp"
#include "ramtest/memory_book.hpp"
#include "report/report.hpp"
#include "terminal/table.hpp"
#include "words/json_format.hpp"
#include "words/prose.hpp"

namespace memplug {
namespace {

// A memory full of failures has thousands.
constexpr std::size_t most_page_rows = 16;

// Rounded down: 1 is all of it.
Json coverage_json(const TestReport& report) {
  constexpr std::uint64_t steps = 10000;
  if (report.requested == Bytes{}) {
    return nullptr;
  }
  const std::uint64_t covered = report.tested.value * steps / report.requested.value;
  return static_cast<double>(covered) / steps;
}

Json end_json(TestReport::End end) {
  switch (end) {
    case TestReport::End::All:
      break;
    case TestReport::End::Interrupted:
      return "interrupted";
    case TestReport::End::Failed:
      return "failed";
  }
  return nullptr;
}

Json bad_json(const BadStretch& bad) {
  Json json;
  add_range(json, bad.range);
  json["node"] = bad.node;
  json["pages"] = Json::array();
  for (const PhysAddr page : bad.pages) {
    json["pages"].push_back(page.value);
  }
  json["kept"] = bad.kept;
  return json;
}

std::string sizes_text(const TestReport& report, const OutputStyle& style) {
  Table sizes({{""}, {"", true}, {"", true}});
  const auto add = [&](const std::string& name, Bytes size) {
    sizes.add({name, size_text(size, style), percent_text(size, report.requested)});
  };
  sizes.add({"asked for", size_text(report.requested, style), ""});
  add("tested", report.tested);
  add("bad", report.bad_size);
  add("untested", report.untested_size());
  return sizes.print(false);
}

std::string bad_text(const TestReport& report, const OutputStyle& style) {
  Table table({{"BAD"}, {"SIZE", true}, {"NODE", true}, {"STATE"}});
  for (const BadStretch& bad : report.bad) {
    table.add({print_range(bad.range), size_text(bad.range.size, style), std::to_string(bad.node),
               bad.kept ? "kept out" : "not kept out"});
  }
  return table.print(!style.quiet);
}

// What is bad as a whole has no page of its own to tell.
std::string pages_text(const TestReport& report, const OutputStyle& style) {
  std::vector<Range> pages;
  for (const BadStretch& bad : report.bad) {
    std::ranges::transform(bad.pages, std::back_inserter(pages), [](PhysAddr page) {
      return Range{page, bad_memory_page};
    });
  }
  pages = merge(std::move(pages));
  if (pages.empty()) {
    return "";
  }
  const std::size_t shown = style.verbose ? pages.size() : std::min(pages.size(), most_page_rows);
  Table table({{"BAD PAGES"}, {"SIZE", true}});
  for (std::size_t i = 0; i < shown; ++i) {
    table.add({print_range(pages[i]), size_text(pages[i].size, style)});
  }
  std::string text = "\n" + table.print(!style.quiet);
  if (shown < pages.size() && !style.quiet) {
    text += "and " + std::to_string(pages.size() - shown) + " more, which -v tells\n";
  }
  return text;
}

std::string untested_by_reason_text(const TestReport& report, const OutputStyle& style) {
  std::map<std::string_view, std::uint64_t> by_reason;
  for (const UntestedStretch& stretch : report.untested) {
    by_reason[hindrance_name(stretch.why)] += stretch.range.size.value;
  }
  Table table({{"UNTESTED"}, {"SIZE", true}});
  for (const auto& [reason, size] : by_reason) {
    table.add({std::string(reason), size_text(Bytes{size}, style)});
  }
  return table.print(!style.quiet);
}

std::string untested_ranges_text(const TestReport& report, const OutputStyle& style) {
  Table table({{"UNTESTED"}, {"SIZE", true}, {"REASON"}});
  for (const UntestedStretch& stretch : report.untested) {
    table.add({print_range(stretch.range), size_text(stretch.range.size, style),
               std::string(hindrance_name(stretch.why))});
  }
  return table.print(!style.quiet);
}

}  // namespace

std::string test_json(const TestReport& report) {
  Json json = versioned_json();
  json["operation"] = "test";
  json["requested_size"] = report.requested.value;
  json["tested_size"] = report.tested.value;
  json["bad_size"] = report.bad_size.value;
  json["untested_size"] = report.untested_size().value;
  json["coverage"] = coverage_json(report);
  json["loops"] = report.loops;
  json["tests"] = or_null(report.tests);
  json["bad"] = Json::array();
  for (const BadStretch& bad : report.bad) {
    json["bad"].push_back(bad_json(bad));
  }
  json["untested"] = Json::array();
  for (const UntestedStretch& stretch : report.untested) {
    Json record;
    add_range(record, stretch.range);
    record["reason"] = hindrance_name(stretch.why);
    json["untested"].push_back(record);
  }
  json["memtester"] = or_null(report.memtester_version);
  json["elapsed_us"] =
      std::chrono::duration_cast<std::chrono::microseconds>(report.elapsed).count();
  json["stopped_by"] = end_json(report.end);
  json["resume_file"] = or_null(report.resume_file);
  json["file"] = or_null(report.file);
  return print_json(json);
}

std::string test_text(const TestReport& report, const OutputStyle& style) {
  std::string text = sizes_text(report, style);
  if (!report.bad.empty()) {
    text += "\n" + bad_text(report, style) + pages_text(report, style);
  }
  if (!report.untested.empty()) {
    text += "\n" + (style.verbose ? untested_ranges_text(report, style)
                                  : untested_by_reason_text(report, style));
  }
  return text;
}

}  // namespace memplug
