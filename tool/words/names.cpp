// SPDX-License-Identifier: MIT
#include "words/names.hpp"

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

}  // namespace memplug
