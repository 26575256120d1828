// SPDX-License-Identifier: MIT
// Reports of events, one line each.
#include <iomanip>
#include <sstream>

#include "report/report.hpp"
#include "words/json_format.hpp"
#include "words/names.hpp"
#include "words/prose.hpp"

namespace memplug {
namespace {

std::string_view type_name(EventType type) {
  switch (type) {
    case EventType::Unplugged:
      return "unplugged";
    case EventType::Plugged:
      return "plugged";
    case EventType::Came:
      return "came";
    case EventType::Went:
      return "went";
    case EventType::Wanted:
      return "wanted";
    case EventType::Target:
      return "target";
    case EventType::TargetState:
      return "target_state";
    case EventType::Quarantine:
      return "quarantine";
    case EventType::Unknown:
      break;
  }
  return "unknown";
}

std::optional<std::string_view> cause_name(Cause cause) {
  switch (cause) {
    case Cause::Request:
      return "request";
    case Cause::Target:
      return "target";
    case Cause::Need:
      return "need";
    case Cause::Hotplug:
      return "hotplug";
    case Cause::None:
      break;
  }
  return std::nullopt;
}

std::optional<Range> range_of(const Event& event) {
  if (!event.start || !event.size) {
    return std::nullopt;
  }
  return Range{*event.start, *event.size};
}

// What the event is about, for people.
std::string subject(const Event& event, const OutputStyle& style) {
  const auto range = range_of(event);
  switch (event.type) {
    case EventType::Unplugged:
    case EventType::Plugged:
    case EventType::Came:
    case EventType::Went:
    case EventType::Quarantine:
      return (range ? print_range(*range) : "-") + "  " +
             size_text(event.size.value_or(Bytes{}), style);
    case EventType::Wanted:
      return size_text(event.total.value_or(Bytes{}), style);
    case EventType::Target:
      return event.target ? size_text(*event.target, style) : "none";
    case EventType::TargetState:
      return std::string(target_state_name(event.state.value_or(TargetState::None)));
    case EventType::Unknown:
      break;
  }
  return "";
}

}  // namespace

std::string event_json(const Event& event) {
  const auto range = range_of(event);
  Json json = versioned_json();
  json["generation"] = event.generation;
  json["time_us"] = std::chrono::duration_cast<std::chrono::microseconds>(event.time).count();
  json["event"] = type_name(event.type);
  json["cause"] = or_null(cause_name(event.cause));
  json["range"] = range ? Json(print_range(*range)) : Json(nullptr);
  json["start"] = event.start ? Json(event.start->value) : Json(nullptr);
  json["size"] = size_or_null(event.size);
  json["node"] = or_null(event.node);
  json["total_size"] = size_or_null(event.total);
  json["target_size"] = size_or_null(event.target);
  json["state"] = event.state ? Json(target_state_name(*event.state)) : Json(nullptr);
  json["lost"] = event.lost;
  return print_json_line(json);
}

std::string event_text(const Event& event, const OutputStyle& style) {
  std::ostringstream text;
  text << std::fixed << std::setprecision(6) << std::setw(14)
       << std::chrono::duration<double>(event.time).count() << "  " << std::left << std::setw(12)
       << type_name(event.type) << "  " << subject(event, style);
  if (event.node) {
    text << "  node " << *event.node;
  }
  if (const auto cause = cause_name(event.cause)) {
    text << "  " << *cause;
  }
  text << '\n';
  return text.str();
}

}  // namespace memplug
