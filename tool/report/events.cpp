// SPDX-License-Identifier: MIT
// Reports of events, one line each.
#include <chrono>
#include <ctime>
#include <iomanip>
#include <sstream>

#include "report/report.hpp"
#include "words/json_format.hpp"
#include "words/names.hpp"
#include "words/prose.hpp"

namespace memplug {
namespace {

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

// strftime() with microseconds behind the seconds.
std::string time_text(const std::tm& parts, const char* format, WallTime wall) {
  std::ostringstream text;
  const auto fraction = std::chrono::floor<std::chrono::microseconds>(wall) -
                        std::chrono::floor<std::chrono::seconds>(wall);
  text << std::put_time(&parts, format) << '.' << std::setfill('0') << std::setw(6)
       << fraction.count();
  return text.str();
}

std::string utc_text(WallTime wall) {
  const std::time_t seconds =
      WallTime::clock::to_time_t(std::chrono::floor<std::chrono::seconds>(wall));
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  return time_text(parts, "%Y-%m-%dT%H:%M:%S", wall) + "Z";
}

std::string local_text(WallTime wall) {
  const std::time_t seconds =
      WallTime::clock::to_time_t(std::chrono::floor<std::chrono::seconds>(wall));
  std::tm parts{};
  ::localtime_r(&seconds, &parts);
  return time_text(parts, "%Y-%m-%d %H:%M:%S", wall);
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

std::string event_json(const Event& event, WallTime wall) {
  const auto range = range_of(event);
  Json json = versioned_json();
  json["generation"] = event.generation;
  json["time_us"] = std::chrono::duration_cast<std::chrono::microseconds>(event.time).count();
  json["event"] = event_name(event.type);
  json["cause"] = or_null(cause_name(event.cause));
  json["range"] = range ? Json(print_range(*range)) : Json(nullptr);
  json["start"] = event.start ? Json(event.start->value) : Json(nullptr);
  json["size"] = size_or_null(event.size);
  json["node"] = or_null(event.node);
  json["total_size"] = size_or_null(event.total);
  json["target_size"] = size_or_null(event.target);
  json["state"] = event.state ? Json(target_state_name(*event.state)) : Json(nullptr);
  json["lost"] = event.lost;
  json["wall_time"] = utc_text(wall);
  return print_json_line(json);
}

std::string event_text(const Event& event, std::optional<WallTime> wall, const OutputStyle& style) {
  std::ostringstream text;
  if (wall) {
    text << local_text(*wall);
  } else {
    text << std::fixed << std::setprecision(6) << std::setw(14)
         << std::chrono::duration<double>(event.time).count();
  }
  text << "  " << std::left << std::setw(12) << event_name(event.type) << "  "
       << subject(event, style);
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
