// SPDX-License-Identifier: MIT
// Reports for people. Quiet leaves the records and drops headings and sums; verbose adds detail.
#include <algorithm>
#include <array>
#include <cctype>
#include <numeric>
#include <optional>
#include <sstream>

#include "look/status.hpp"
#include "memplug/failure.hpp"
#include "report/report.hpp"
#include "terminal/table.hpp"
#include "words/names.hpp"
#include "words/prose.hpp"

namespace memplug {
namespace {

std::string state_of(const HeldRange& held) {
  std::string text;
  for (const std::string& state : range_states(held)) {
    text += (text.empty() ? "" : ",") + state;
  }
  return text;
}

using Column = ListLayout::Column;

struct ColumnName {
  Column column = Column::Range;
  Table::Column heading;
};
constexpr std::array column_names{
    ColumnName{Column::Range, {"RANGE"}},     ColumnName{Column::Start, {"START"}},
    ColumnName{Column::End, {"END"}},         ColumnName{Column::Size, {"SIZE", true}},
    ColumnName{Column::Node, {"NODE", true}}, ColumnName{Column::State, {"STATE"}}};

const Table::Column& heading_of(Column column) {
  return std::ranges::find(column_names, column, &ColumnName::column)->heading;
}

std::string cell(const HeldRange& held, Column column, bool raw, const OutputStyle& style) {
  switch (column) {
    case Column::Range:
      return held.start ? print_range({*held.start, held.size}) : "-";
    case Column::Start:
      return held.start ? print_address(*held.start) : "-";
    case Column::End:
      return held.start ? print_address(last_byte({*held.start, held.size})) : "-";
    case Column::Size:
      // As one word where words are columns.
      return raw && !style.bytes ? print_size_argument(held.size) : size_text(held.size, style);
    case Column::Node:
      return std::to_string(held.node);
    case Column::State:
      break;
  }
  return state_of(held);
}

std::string ranges_table(const std::vector<HeldRange>& ranges, const OutputStyle& style,
                         const ListLayout& layout = {}) {
  std::vector<Table::Column> headings;
  for (const Column column : layout.columns) {
    headings.push_back(heading_of(column));
  }
  Table table(std::move(headings));
  for (const HeldRange& held : ranges) {
    Table::Row row;
    for (const Column column : layout.columns) {
      row.push_back(cell(held, column, layout.raw, style));
    }
    table.add(std::move(row));
  }
  const bool with_heading = layout.headings && !style.quiet;
  return layout.raw ? table.print_raw(with_heading) : table.print(with_heading);
}

// What a request changed is ordinary before and after, so there is no state to tell.
std::string changed_table(const std::vector<HeldRange>& ranges, const OutputStyle& style) {
  Table table({{"RANGE"}, {"SIZE", true}, {"NODE", true}});
  for (const HeldRange& held : ranges) {
    table.add({held.start ? print_range({*held.start, held.size}) : "-",
               size_text(held.size, style), std::to_string(held.node)});
  }
  return table.print(!style.quiet);
}

std::string blocked_table(const std::vector<Blocked>& blocked, const OutputStyle& style) {
  Table table({{"BLOCKED"}, {"SIZE", true}, {"NODE", true}, {"REASON"}, {"PFN"}});
  for (const Blocked& record : blocked) {
    table.add({print_range(record.range), size_text(record.range.size, style),
               std::to_string(record.node), std::string(reason_name(record.reason)),
               page_frame_text(record.pfn)});
  }
  return table.print(!style.quiet);
}

std::string did_what(const Request& request) {
  const bool unplug = request.operation == Operation::Unplug;
  if (request.dry_run) {
    return unplug ? "would unplug " : "would plug ";
  }
  return unplug ? "unplugged " : "plugged ";
}

std::string state_words(const Info& info, const OutputStyle& style) {
  switch (info.target_state) {
    case TargetState::None:
      break;
    case TargetState::Reached:
      return "reached";
    case TargetState::Working:
      return "working toward it";
    case TargetState::Floor:
      return info.floor != Bytes{} ? "the floor of " + size_text(info.floor, style) + " stops it"
                                   : "the zones' own reserves stop it";
    case TargetState::Blocked:
      return "blocked for now";
  }
  return "";
}

std::string no_column(const std::string& text, const std::string& word) {
  return "--output " + text + ": '" + word +
         "' is no column; there are RANGE, START, END, SIZE, NODE and STATE";
}

std::string in_parentheses(const std::string& note) { return note.empty() ? "" : "(" + note + ")"; }

}  // namespace

std::vector<ListLayout::Column> parse_columns(const std::string& text) {
  std::vector<Column> columns;
  std::istringstream words(text + ",");
  for (std::string word; std::getline(words, word, ',');) {
    std::ranges::transform(word, word.begin(),
                           [](unsigned char letter) { return std::toupper(letter); });
    const auto* const place = std::ranges::find(
        column_names, word, [](const ColumnName& name) { return name.heading.heading; });
    if (place == column_names.end()) {
      throw UsageError(no_column(text, word));
    }
    columns.push_back(place->column);
  }
  return columns;
}

std::string list_text(const std::vector<HeldRange>& ranges, const OutputStyle& style,
                      const ListLayout& layout) {
  std::string text = ranges_table(ranges, style, layout);
  if (!style.quiet && layout.headings && !layout.raw) {
    const auto sum = std::accumulate(
        ranges.begin(), ranges.end(), std::uint64_t{0},
        [](std::uint64_t bytes, const HeldRange& held) { return bytes + held.size.value; });
    text += "\nunplugged: " + size_text(Bytes{sum}, style) + "\n";
  }
  return text;
}

std::string status_text(const Status& status, const OutputStyle& style) {
  const Info& info = status.info;
  const auto size = [&style](Bytes bytes) { return size_text(bytes, style); };
  std::string text;
  if (!style.quiet) {
    text += "memplug " + info.module_version + ", kernel " + status.kernel + "\n";
  }
  Table sizes({{""}, {"", true}, {"", false, 1}});
  const auto add = [&sizes](const std::string& name, const std::string& value,
                            const std::string& note = "") {
    sizes.add({name, value, in_parentheses(note)});
  };
  const auto low = [&size](Bytes bytes) {
    return bytes != Bytes{} ? size(bytes) + " below ZONE_NORMAL" : "";
  };
  add("managed", size(info.managed), low(info.low_managed));
  add("plugged", size(info.plugged()));
  const Bytes bad = status.quarantined();
  std::string note = low(info.low_unplugged);
  if (bad != Bytes{}) {
    note += (note.empty() ? "" : ", ") + size(bad) + " quarantined";
  }
  add("unplugged", size(info.unplugged), note);
  add("wanted", size(info.wanted),
      info.wanted_other_zone != Bytes{} ? size(info.wanted_other_zone) + " in another zone" : "");
  add("target", info.target ? size(*info.target) : "none", state_words(info, style));
  add("floor", info.floor != Bytes{} ? size(info.floor) : "none");
  add("subblock", size(info.subblock));
  if (style.verbose) {
    const Counters& counters = status.counters;
    add("granularity", size(info.granularity));
    add("page", size(Bytes{info.page_size}));
    add("unplug requests", std::to_string(counters.unplug_requests));
    add("plug requests", std::to_string(counters.plug_requests));
    add("claims", std::to_string(counters.claims));
    add("claims failed", std::to_string(counters.claims_failed));
    add("pages migrated", std::to_string(counters.pages_migrated));
    add("survey time", print_duration(counters.survey));
    add("claim time", print_duration(counters.claim));
    add("oom events", std::to_string(counters.oom_events));
    add("oom pages", std::to_string(counters.oom_pages));
  }
  text += sizes.print(false);
  if (!status.nodes.empty()) {
    Table nodes({{"NODE"}, {"MANAGED", true}, {"PLUGGED", true}, {"UNPLUGGED", true}});
    for (const NodeShare& share : status.nodes) {
      nodes.add({std::to_string(share.node), size(share.managed),
                 size(share.managed - share.unplugged), size(share.unplugged)});
    }
    text += "\n" + nodes.print(!style.quiet);
  }
  if (!status.ranges.empty()) {
    text += "\n" + ranges_table(status.ranges, style);
  }
  return text;
}

std::string result_text(const Request& request, const Result& result, const OutputStyle& style) {
  if (style.quiet) {
    return changed_table(result.ranges, style);
  }
  std::string text = did_what(request) + size_text(result.done, style) + " of " +
                     size_text(result.requested, style);
  if (result.already != Bytes{}) {
    text += ", " + size_text(result.already, style) +
            (request.operation == Operation::Unplug ? " was unplugged" : " was plugged") +
            " already";
  }
  if (style.verbose) {
    text += ", in " + print_duration(result.elapsed) + ", " +
            std::to_string(result.pages_migrated) + " pages migrated";
  }
  text += "\n";
  if (!result.ranges.empty()) {
    text += "\n" + changed_table(result.ranges, style);
  }
  if (!result.blocked.empty() && (style.verbose || result.stop != Stop::None)) {
    text += "\n" + blocked_table(result.blocked, style);
  }
  return text;
}

std::string version_text(const VersionReport& report) {
  std::string text = "memplugctl " + report.tool_version + ", ABI " +
                     std::to_string(report.tool_abi) + "\nmodule     ";
  text += report.module_version && report.module_abi
              ? *report.module_version + ", ABI " + std::to_string(*report.module_abi)
              : "-";
  return text + "\n";
}

std::string target_text(const TargetReport& report, const OutputStyle& style) {
  const Info& info = report.info;
  std::string text = "target " + (info.target ? size_text(*info.target, style) : "none") +
                     (report.dry_run ? ", plugged would be " : ", plugged ") +
                     size_text(info.plugged(), style);
  if (report.total) {
    text += ", MemTotal " + size_text(*report.total, style);
  }
  if (const std::string words = state_words(info, style); !words.empty()) {
    text += ": " + words;
  }
  if (style.verbose) {
    text += ", after " + print_duration(report.elapsed);
  }
  return text + "\n";
}

}  // namespace memplug
