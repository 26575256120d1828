// SPDX-License-Identifier: MIT
// The words for what the library tells by number, as they stand in JSON, in tables and in prose.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "memplug/device.hpp"

namespace memplug {

// "unplug"
[[nodiscard]] std::string_view operation_name(Operation operation);
[[nodiscard]] std::string_view reason_name(Reason reason);
[[nodiscard]] std::string_view stop_name(Stop stop);
[[nodiscard]] std::string_view bad_why_name(BadWhy why);
[[nodiscard]] std::string_view state_name(SubblockState state);
[[nodiscard]] std::string_view target_state_name(TargetState state);
[[nodiscard]] std::string_view other_name(OtherDriver driver);
[[nodiscard]] std::string_view event_name(EventType type);
// Nothing: there is no such event.
[[nodiscard]] std::optional<EventType> event_type(std::string_view name);
// "unplugged, plugged, ..."
[[nodiscard]] std::string event_names();
// What a range is, in every respect; "ordinary" if it is in none.
[[nodiscard]] std::vector<std::string> range_states(const HeldRange& held);

}  // namespace memplug
