// SPDX-License-Identifier: MIT
// Reports of what memory looks like: scan, explain and map as JSON, the first two for people, too.
#include "look/survey.hpp"
#include "report/report.hpp"
#include "terminal/table.hpp"
#include "words/json_format.hpp"
#include "words/names.hpp"
#include "words/prose.hpp"

namespace memplug {
namespace {

bool is_plugged(const Stretch& stretch) { return stretch.state == SubblockState::Plugged; }

// The pages that a plugged subblock has of a kind; of others nothing is counted.
Json pages_json(const Stretch& stretch, std::uint32_t pages) {
  return is_plugged(stretch) ? Json(pages) : Json(nullptr);
}

Json stretch_json(const ExplainedStretch& explained) {
  const Stretch& stretch = explained.stretch;
  const auto& obstacle = stretch.obstacle;
  Json json;
  add_range(json, stretch.range);
  json["node"] = or_null(stretch.node);
  json["state"] = state_name(stretch.state);
  json["why"] =
      stretch.state == SubblockState::Unmanaged ? Json(bad_why_name(stretch.why)) : Json(nullptr);
  json["wanted"] = stretch.wanted;
  json["outlook"] = is_plugged(stretch) ? Json(outlook_name(outlook_of(stretch))) : Json(nullptr);
  json["reason"] = obstacle ? Json(reason_name(obstacle->reason)) : Json(nullptr);
  json["pfn"] = obstacle ? Json(obstacle->pfn) : Json(nullptr);
  json["free_pages"] = pages_json(stretch, stretch.free_pages);
  json["movable_pages"] = pages_json(stretch, stretch.movable_pages);
  json["anon_pages"] = pages_json(stretch, stretch.anon_pages);
  json["file_pages"] = pages_json(stretch, stretch.file_pages);
  json["huge_pages"] = pages_json(stretch, stretch.huge_pages);
  json["page_flags"] = or_null(explained.page_flags);
  json["page_owner"] = or_null(explained.page_owner);
  return json;
}

std::string_view shade_key(Shade shade) {
  switch (shade) {
    case Shade::Absent:
      return "absent";
    case Shade::Unmanaged:
      return "unmanaged";
    case Shade::Free:
      return "free";
    case Shade::InUse:
      return "in_use";
    case Shade::Blocked:
      return "blocked";
    case Shade::Busy:
      return "busy";
    case Shade::Unplugged:
      return "unplugged";
  }
  return "absent";
}

// One word for what a stretch is and what would come of taking it.
std::string state_word(const Stretch& stretch) {
  switch (stretch.state) {
    case SubblockState::Plugged:
      return std::string(outlook_name(outlook_of(stretch)));
    case SubblockState::Unplugged:
    case SubblockState::Busy:
      return std::string(state_name(stretch.state));
    case SubblockState::Unmanaged:
      break;
  }
  return stretch.wanted ? "not managed, wanted" : "not managed";
}

std::string reason_word(const Stretch& stretch) {
  if (stretch.obstacle) {
    return std::string(reason_name(stretch.obstacle->reason));
  }
  return stretch.state == SubblockState::Unmanaged ? std::string(bad_why_name(stretch.why)) : "";
}

std::string count_text(const Stretch& stretch, std::uint32_t pages) {
  return is_plugged(stretch) ? std::to_string(pages) : "-";
}

std::string joined(const std::vector<std::string_view>& words) {
  std::string text;
  for (const std::string_view word : words) {
    text.append(text.empty() ? "" : ",").append(word);
  }
  return text;
}

}  // namespace

std::string map_json(const Map& map) {
  Json json = versioned_json();
  json["cell_size"] = map.cell.value;
  json["cells"] = Json::array();
  for (const Section& section : map.sections) {
    for (const Cell& cell : section.cells) {
      Json record;
      add_range(record, cell.range);
      record["node"] = or_null(section.node);
      record["shade"] = shade_key(cell.shade());
      json["cells"].push_back(record);
    }
  }
  return print_json(json);
}

std::string scan_json(const ScanReport& report) {
  const SurveySums& sums = report.sums;
  Json json = versioned_json();
  json["within"] = report.within ? Json(print_range(*report.within)) : Json(nullptr);
  json["align_size"] = report.align.value;
  json["plugged_size"] = sums.plugged.value;
  json["unplugged_size"] = sums.unplugged.value;
  json["busy_size"] = sums.busy.value;
  json["unpluggable_size"] = report.could_be_unplugged.value;
  json["stopped_by"] = report.stop == Stop::None ? Json(nullptr) : Json(stop_name(report.stop));
  json["free_size"] = sums.free.value;
  json["movable_size"] = sums.movable.value;
  json["maybe_size"] = sums.maybe.value;
  json["blocked_size"] = sums.blocked.value;
  json["to_move_size"] = sums.to_move.value;
  json["reasons"] = Json::array();
  for (const auto& [reason, size] : sums.by_reason) {
    Json record;
    record["reason"] = reason_name(reason);
    record["size"] = size.value;
    json["reasons"].push_back(record);
  }
  json["largest"] = Json::array();
  for (const Run& run : sums.largest) {
    Json record;
    record["node"] = run.node;
    add_range(record, run.range);
    json["largest"].push_back(record);
  }
  json["unmanaged"] = Json::array();
  for (const auto& [why, size] : sums.unmanaged) {
    Json record;
    record["why"] = bad_why_name(why);
    record["size"] = size.value;
    json["unmanaged"].push_back(record);
  }
  return print_json(json);
}

std::string explain_json(const ExplainReport& report) {
  Json json = versioned_json();
  add_range(json, report.range);
  json["subblocks"] = Json::array();
  for (const ExplainedStretch& stretch : report.stretches) {
    json["subblocks"].push_back(stretch_json(stretch));
  }
  return print_json(json);
}

std::string scan_text(const ScanReport& report, const OutputStyle& style) {
  const SurveySums& sums = report.sums;
  Table sizes({{""}, {"", true}, {"", true}});
  const auto add = [&](const std::string& name, Bytes size) {
    sizes.add({name, size_text(size, style), percent_text(size, sums.plugged)});
  };
  add("plugged", sums.plugged);
  add("could be unplugged", report.could_be_unplugged);
  add("  free", sums.free);
  add("  movable", sums.movable);
  add("  maybe", sums.maybe);
  add("  blocked", sums.blocked);
  add("pages to move", sums.to_move);
  sizes.add({"unplugged", size_text(sums.unplugged, style), ""});
  if (sums.busy != Bytes{}) {
    sizes.add({"busy", size_text(sums.busy, style), ""});
  }
  std::string text = sizes.print(false);
  if (!sums.largest.empty()) {
    Table largest({{"LARGEST RUN"}, {"SIZE", true}, {"NODE", true}});
    for (const Run& run : sums.largest) {
      largest.add(
          {print_range(run.range), size_text(run.range.size, style), std::to_string(run.node)});
    }
    text += "\n" + largest.print(!style.quiet);
  }
  if (!sums.by_reason.empty()) {
    Table reasons({{"IN THE WAY"}, {"SIZE", true}});
    for (const auto& [reason, size] : sums.by_reason) {
      reasons.add({std::string(reason_name(reason)), size_text(size, style)});
    }
    text += "\n" + reasons.print(!style.quiet);
  }
  if (!sums.unmanaged.empty() && style.verbose) {
    Table unmanaged({{"NOT MANAGED"}, {"SIZE", true}});
    for (const auto& [why, size] : sums.unmanaged) {
      unmanaged.add({std::string(bad_why_name(why)), size_text(size, style)});
    }
    text += "\n" + unmanaged.print(!style.quiet);
  }
  return text;
}

std::string explain_text(const ExplainReport& report, const OutputStyle& style) {
  Table table({{"RANGE"},
               {"SIZE", true},
               {"NODE", true},
               {"STATE"},
               {"FREE", true},
               {"MOVABLE", true},
               {"REASON"},
               {"PFN"}});
  std::string details;
  for (const ExplainedStretch& explained : report.stretches) {
    const Stretch& stretch = explained.stretch;
    std::optional<std::uint64_t> pfn;
    if (stretch.obstacle) {
      pfn = stretch.obstacle->pfn;
    }
    table.add({print_range(stretch.range), size_text(stretch.range.size, style),
               stretch.node ? std::to_string(*stretch.node) : "-", state_word(stretch),
               count_text(stretch, stretch.free_pages), count_text(stretch, stretch.movable_pages),
               reason_word(stretch), pfn ? page_frame_text(pfn) : ""});
    if (explained.page_flags && !explained.page_flags->empty()) {
      details += page_frame_text(pfn) + ": " + joined(*explained.page_flags) + "\n";
    }
    if (explained.page_owner && style.verbose) {
      details += *explained.page_owner + "\n";
    }
  }
  return table.print(!style.quiet) + (details.empty() || style.quiet ? "" : "\n" + details);
}

}  // namespace memplug
