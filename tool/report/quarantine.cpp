// SPDX-License-Identifier: MIT
#include "report/quarantine.hpp"

#include "memplug/reason_words.hpp"
#include "terminal/table.hpp"
#include "words/json_format.hpp"
#include "words/names.hpp"
#include "words/prose.hpp"

namespace memplug {
namespace {

constexpr std::string_view verb = "quarantine";

std::string_view state_of(const HeldRange& held) { return held.wanted ? "wanted" : "unplugged"; }

// What memory block it belongs to is not known while it is away.
std::optional<int> node_of(const HeldRange& held) {
  return held.node >= 0 ? std::optional(held.node) : std::nullopt;
}

Json held_json(const HeldRange& held) {
  Json json;
  json["range"] = held.start ? Json(print_range({*held.start, held.size})) : Json(nullptr);
  json["start"] = held.start ? Json(held.start->value) : Json(nullptr);
  json["size"] = held.size.value;
  json["node"] = or_null(node_of(held));
  json["state"] = state_of(held);
  json["mapped"] = held.mapped;
  return json;
}

Json held_ranges_json(const std::vector<HeldRange>& ranges) {
  Json json = Json::array();
  for (const HeldRange& held : ranges) {
    json.push_back(held_json(held));
  }
  return json;
}

Json plain_ranges_json(const std::vector<Range>& ranges) {
  Json json = Json::array();
  for (const Range& range : ranges) {
    Json record;
    add_range(record, range);
    json.push_back(record);
  }
  return json;
}

std::string held_table(const std::vector<HeldRange>& ranges, const OutputStyle& style) {
  if (ranges.empty()) {
    return "";
  }
  Table table({{"RANGE"}, {"SIZE", true}, {"NODE", true}, {"STATE"}});
  for (const HeldRange& held : ranges) {
    const auto node = node_of(held);
    table.add({held.start ? print_range({*held.start, held.size}) : "-",
               size_text(held.size, style), node ? std::to_string(*node) : "-",
               std::string(state_of(held)) + (held.mapped ? ", mapped" : "")});
  }
  return table.print(!style.quiet);
}

Bytes total_refused(const QuarantineOutcome& outcome) {
  Bytes sum;
  for (const RefusedPart& part : outcome.refused) {
    sum += part.range.size;
  }
  return sum;
}

std::string sums_line(const std::vector<HeldRange>& ranges, const OutputStyle& style) {
  return "out of use: " + size_text(total_unplugged(ranges), style) +
         ", wanted: " + size_text(total_wanted(ranges), style) + "\n";
}

Json to_json(const QuarantineReport& report) {
  const QuarantineOutcome& outcome = report.outcome;
  Json json = versioned_json();
  json["operation"] = report.operation;
  json["requested_size"] = total(outcome.subblocks).value;
  json["out_size"] = total_unplugged(outcome.ranges).value;
  json["wanted_size"] = total_wanted(outcome.ranges).value;
  json["refused_size"] = total_refused(outcome).value;
  json["ended_size"] = outcome.ended.value;
  json["plugged_size"] = outcome.plugged.value;
  json["ranges"] = held_ranges_json(outcome.ranges);
  json["refused"] = Json::array();
  for (const RefusedPart& part : outcome.refused) {
    Json record;
    add_range(record, part.range);
    record["why"] = bad_why_name(part.why);
    json["refused"].push_back(record);
  }
  json["pages"] = plain_ranges_json(report.asked);
  json["file"] = or_null(report.file);
  json["elapsed_us"] =
      std::chrono::duration_cast<std::chrono::microseconds>(outcome.elapsed).count();
  json["stopped_by"] = outcome.stop == Stop::None ? Json(nullptr) : Json(stop_name(outcome.stop));
  return json;
}

}  // namespace

std::string quarantine_json(const QuarantineReport& report) { return print_json(to_json(report)); }

std::string quarantine_json_line(const QuarantineReport& report) {
  return print_json_line(to_json(report));
}

std::string quarantine_text(const QuarantineReport& report, const OutputStyle& style) {
  std::string text = held_table(report.outcome.ranges, style);
  if (style.quiet) {
    return text;
  }
  if (report.operation == "quarantine_remove") {
    return text + "no longer in quarantine: " + size_text(report.outcome.ended, style) +
           ", given back: " + size_text(report.outcome.plugged, style) + "\n";
  }
  return text + sums_line(report.outcome.ranges, style);
}

std::string explain_quarantine(const QuarantineReport& report, const OutputStyle& style) {
  const QuarantineOutcome& outcome = report.outcome;
  std::string prose;
  for (const RefusedPart& part : outcome.refused) {
    const Words words = words_for(part.why);
    prose += prose_line(verb, print_range(part.range) + " can't be kept out: " +
                                  std::string(words.what) + "; " + std::string(words.step));
  }
  if (!outcome.refused.empty() && report.operation == "quarantine_add" && report.file) {
    prose += prose_line(
        verb, *report.file + " has that, too: 'quarantine apply' takes it once it is managed");
  }
  if (report.why_not_saved) {
    prose += prose_line(verb, "not saved: " + *report.why_not_saved);
    prose += prose_line(verb,
                        "what is out is so until the next boot only; when the file can be written, "
                        "the same command saves it");
  }
  const std::vector<Range> pages = report.asked;
  if (total(outcome.subblocks) != total(pages) && report.operation != "quarantine_remove") {
    prose +=
        prose_line(verb, size_text(total(pages), style) + " of bad memory take whole subblocks, " +
                             size_text(total(outcome.subblocks), style));
  }
  if (total_wanted(outcome.ranges) != Bytes{}) {
    prose += prose_line(
        verb, size_text(total_wanted(outcome.ranges), style) +
                  " can't be had yet; it is taken as soon as it can be, as long as the module is "
                  "loaded. 'memplugctl explain RANGE' tells what is in the way");
  }
  return prose;
}

std::string quarantine_list_json(const std::vector<HeldRange>& ranges, const std::string& file,
                                 const std::vector<Range>& pages) {
  Json json = versioned_json();
  json["out_size"] = total_unplugged(ranges).value;
  json["wanted_size"] = total_wanted(ranges).value;
  json["ranges"] = held_ranges_json(ranges);
  json["file"] = file;
  json["pages"] = plain_ranges_json(pages);
  return print_json(json);
}

std::string quarantine_list_text(const std::vector<HeldRange>& ranges, const std::string& file,
                                 const std::vector<Range>& pages, const OutputStyle& style) {
  std::string text = held_table(ranges, style);
  if (style.quiet) {
    return text;
  }
  text += (text.empty() ? "" : "\n") + sums_line(ranges, style);
  if (!pages.empty()) {
    Table table({{"BAD"}, {"SIZE", true}});
    for (const Range& range : pages) {
      table.add({print_range(range), size_text(range.size, style)});
    }
    text += "\n" + file + ":\n" + table.print(false);
  }
  return text;
}

std::string quarantine_export_json(std::string_view format, std::string_view text,
                                   const std::vector<Range>& pages) {
  Json json = versioned_json();
  json["format"] = format;
  json["text"] = text;
  json["pages"] = plain_ranges_json(pages);
  return print_json(json);
}

}  // namespace memplug
