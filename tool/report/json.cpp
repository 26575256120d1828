// SPDX-License-Identifier: MIT
// JSON reports. Keys are only ever added, at the end; all are always there.
#include "look/status.hpp"
#include "memplug/failure.hpp"
#include "report/report.hpp"
#include "words/json_format.hpp"
#include "words/names.hpp"

namespace memplug {
namespace {

auto microseconds(std::chrono::nanoseconds time) {
  return std::chrono::duration_cast<std::chrono::microseconds>(time).count();
}

Json stop_json(Stop stop) { return stop == Stop::None ? Json(nullptr) : Json(stop_name(stop)); }

Json range_json(const HeldRange& held) {
  Json json;
  json["range"] = held.start ? Json(print_range({*held.start, held.size})) : Json(nullptr);
  json["start"] = held.start ? Json(held.start->value) : Json(nullptr);
  json["size"] = held.size.value;
  json["node"] = held.node;
  json["held_by"] = or_null(held.holder);
  json["mapped"] = held.mapped;
  json["quarantined"] = held.quarantined;
  return json;
}

Json ranges_json(const std::vector<HeldRange>& ranges) {
  Json json = Json::array();
  for (const HeldRange& held : ranges) {
    json.push_back(range_json(held));
  }
  return json;
}

Json blocked_json(const Blocked& blocked) {
  Json json;
  add_range(json, blocked.range);
  json["node"] = blocked.node;
  json["reason"] = reason_name(blocked.reason);
  json["pfn"] = or_null(blocked.pfn);
  return json;
}

}  // namespace

std::string status_json(const Status& status) {
  const Info& info = status.info;
  Json json = versioned_json();
  json["module_version"] = info.module_version;
  json["tool_version"] = status.tool_version;
  json["kernel"] = status.kernel;
  json["abi"] = info.abi_version;
  json["page_size"] = info.page_size;
  json["granularity"] = info.granularity.value;
  json["subblock_size"] = info.subblock.value;
  json["managed_size"] = info.managed.value;
  json["plugged_size"] = info.plugged().value;
  json["unplugged_size"] = info.unplugged.value;
  json["wanted_size"] = info.wanted.value;
  json["target_size"] = size_or_null(info.target);
  json["floor_size"] = info.floor.value;
  json["nodes"] = Json::array();
  for (const NodeShare& share : status.nodes) {
    Json node;
    node["node"] = share.node;
    node["managed_size"] = share.managed.value;
    node["plugged_size"] = share.managed.value - share.unplugged.value;
    node["unplugged_size"] = share.unplugged.value;
    json["nodes"].push_back(node);
  }
  json["ranges"] = ranges_json(status.ranges);
  Json counters;
  counters["unplug_requests"] = status.counters.unplug_requests;
  counters["plug_requests"] = status.counters.plug_requests;
  counters["claims"] = status.counters.claims;
  counters["claims_failed"] = status.counters.claims_failed;
  counters["pages_migrated"] = status.counters.pages_migrated;
  counters["survey_us"] = microseconds(status.counters.survey);
  counters["claim_us"] = microseconds(status.counters.claim);
  counters["oom_events"] = status.counters.oom_events;
  counters["oom_pages"] = status.counters.oom_pages;
  json["counters"] = counters;
  json["target_state"] = target_state_name(info.target_state);
  json["wanted_other_zone_size"] = info.wanted_other_zone.value;
  json["others"] = Json::array();
  for (const OtherDriver driver : info.others) {
    json["others"].push_back(other_name(driver));
  }
  json["quarantined_size"] = status.quarantined().value;
  json["low_managed_size"] = info.low_managed.value;
  json["low_unplugged_size"] = info.low_unplugged.value;
  json["low_reserve_size"] = info.low_reserve.value;
  return print_json(json);
}

std::string list_json(const std::vector<HeldRange>& ranges) {
  Json json = versioned_json();
  json["ranges"] = ranges_json(ranges);
  return print_json(json);
}

std::string result_json(const Request& request, const Result& result) {
  Json json = versioned_json();
  json["operation"] = operation_name(request.operation);
  json["dry_run"] = request.dry_run;
  json["requested_size"] = result.requested.value;
  json["done_size"] = result.done.value;
  json["already_size"] = result.already.value;
  json["shortfall"] = result.shortfall().value;
  json["ranges"] = ranges_json(result.ranges);
  json["blocked"] = Json::array();
  for (const Blocked& blocked : result.blocked) {
    json["blocked"].push_back(blocked_json(blocked));
  }
  json["truncated"] = result.truncated;
  json["pages_migrated"] = result.pages_migrated;
  json["elapsed_us"] = microseconds(result.elapsed);
  json["stopped_by"] = stop_json(result.stop);
  if (request.operation == Operation::Plug) {
    json["left_size"] = result.left.value;
  }
  return print_json(json);
}

std::string version_json(const VersionReport& report) {
  Json json = versioned_json();
  json["tool_version"] = report.tool_version;
  json["tool_abi"] = report.tool_abi;
  json["module_version"] = or_null(report.module_version);
  json["module_abi"] = or_null(report.module_abi);
  return print_json(json);
}

std::string target_json(const TargetReport& report) {
  const Info& info = report.info;
  Json json = versioned_json();
  json["operation"] = "target";
  json["target_size"] = size_or_null(info.target);
  json["managed_size"] = info.managed.value;
  json["plugged_size"] = info.plugged().value;
  json["wanted_size"] = info.wanted.value;
  json["floor_size"] = info.floor.value;
  json["state"] = target_state_name(info.target_state);
  json["elapsed_us"] = microseconds(report.elapsed);
  json["stopped_by"] = stop_json(report.stop);
  json["dry_run"] = report.dry_run;
  json["total_size"] = size_or_null(report.total);
  return print_json(json);
}

namespace {

Json to_json(std::optional<int> error_number, std::string_view message) {
  Json json = versioned_json();
  json["error"]["errno"] = error_number ? Json(errno_name(*error_number)) : Json(nullptr);
  json["error"]["message"] = message;
  return json;
}

}  // namespace

std::string error_json(std::optional<int> error_number, std::string_view message) {
  return print_json(to_json(error_number, message));
}

std::string error_json_line(std::optional<int> error_number, std::string_view message) {
  return print_json_line(to_json(error_number, message));
}

}  // namespace memplug
