// SPDX-License-Identifier: MIT
#include "words/names.hpp"

#include <algorithm>
#include <array>

namespace memplug {

std::string_view operation_name(Operation operation) {
  return operation == Operation::Unplug ? "unplug" : "plug";
}

std::string_view reason_name(Reason reason) {
  switch (reason) {
    case Reason::Unknown:
      return "unknown";
    case Reason::Unmovable:
      return "unmovable";
    case Reason::Reserved:
      return "reserved";
    case Reason::Pinned:
      return "pinned";
    case Reason::Hugetlb:
      return "hugetlb";
    case Reason::Hwpoison:
      return "hwpoison";
    case Reason::Cma:
      return "cma";
    case Reason::Busy:
      return "busy";
    case Reason::NoMemory:
      return "no_memory";
    case Reason::Floor:
      return "floor";
    case Reason::Offline:
      return "offline";
    case Reason::Mapped:
      return "mapped";
    case Reason::Held:
      return "held";
    case Reason::Quarantined:
      return "quarantined";
  }
  return "unknown";
}

std::string_view stop_name(Stop stop) {
  switch (stop) {
    case Stop::None:
      return "none";
    case Stop::Floor:
      return "floor";
    case Stop::Timeout:
      return "timeout";
    case Stop::Interrupted:
      return "interrupted";
    case Stop::Exhausted:
      return "exhausted";
    case Stop::CommitLimit:
      return "commit_limit";
  }
  return "none";
}

std::string_view bad_why_name(BadWhy why) {
  switch (why) {
    case BadWhy::None:
      return "none";
    case BadWhy::Absent:
      return "absent";
    case BadWhy::Offline:
      return "offline";
    case BadWhy::Zone:
      return "zone";
    case BadWhy::Foreign:
      return "foreign";
    case BadWhy::Mixed:
      return "mixed";
  }
  return "none";
}

std::string_view state_name(SubblockState state) {
  switch (state) {
    case SubblockState::Plugged:
      return "plugged";
    case SubblockState::Unplugged:
      return "unplugged";
    case SubblockState::Busy:
      return "busy";
    case SubblockState::Unmanaged:
      return "unmanaged";
  }
  return "unmanaged";
}

std::string_view target_state_name(TargetState state) {
  switch (state) {
    case TargetState::None:
      return "none";
    case TargetState::Reached:
      return "reached";
    case TargetState::Working:
      return "working";
    case TargetState::Floor:
      return "floor";
    case TargetState::Blocked:
      return "blocked";
  }
  return "none";
}

std::string_view other_name(OtherDriver driver) {
  switch (driver) {
    case OtherDriver::VirtioMem:
      return "virtio_mem";
    case OtherDriver::VirtioBalloon:
      return "virtio_balloon";
    case OtherDriver::HvBalloon:
      return "hv_balloon";
    case OtherDriver::XenBalloon:
      return "xen_balloon";
  }
  return "unknown";
}

std::string_view event_name(EventType type) {
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

namespace {

constexpr std::array event_types{EventType::Unplugged,   EventType::Plugged,   EventType::Came,
                                 EventType::Went,        EventType::Wanted,    EventType::Target,
                                 EventType::TargetState, EventType::Quarantine};

}  // namespace

std::optional<EventType> event_type(std::string_view name) {
  const auto* const place = std::ranges::find(event_types, name, event_name);
  return place == event_types.end() ? std::nullopt : std::optional(*place);
}

std::string event_names() {
  std::string names;
  for (const EventType type : event_types) {
    names += (names.empty() ? "" : ", ") + std::string(event_name(type));
  }
  return names;
}

std::vector<std::string> range_states(const HeldRange& held) {
  std::vector<std::string> states;
  if (held.holder) {
    // 0: the holder is in a pid namespace that the caller can't see
    states.push_back(*held.holder != 0 ? "tied:" + std::to_string(*held.holder) : "tied");
  }
  if (held.mapped) {
    states.emplace_back("mapped");
  }
  if (held.quarantined) {
    states.emplace_back("quarantined");
  }
  if (states.empty()) {
    states.emplace_back("ordinary");
  }
  return states;
}

}  // namespace memplug
