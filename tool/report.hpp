// SPDX-License-Identifier: MIT
// What a command found or did, as JSON and as text for people: the only place that knows field
// names. It adds no judgement and no advice; those are prose, for stderr.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "device.hpp"
#include "output.hpp"

namespace memplug {

struct Status {
  Info info;
  std::vector<NodeShare> nodes;
  std::vector<HeldRange> ranges;
  Counters counters;
  std::string tool_version;
  std::string kernel;
};

// How far the module is toward its target, when the command returns.
struct TargetReport {
  Info info;
  Stop stop = Stop::None;
  std::chrono::nanoseconds elapsed{};
};

// Each ends with a newline and is one object.
[[nodiscard]] std::string status_json(const Status& status);
[[nodiscard]] std::string list_json(const std::vector<HeldRange>& ranges);
[[nodiscard]] std::string result_json(const Request& request, const Result& result);
[[nodiscard]] std::string target_json(const TargetReport& report);
[[nodiscard]] std::string error_json(std::optional<int> error_number, std::string_view message);

[[nodiscard]] std::string status_text(const Status& status, const OutputStyle& style);
[[nodiscard]] std::string list_text(const std::vector<HeldRange>& ranges, const OutputStyle& style);
[[nodiscard]] std::string result_text(const Request& request, const Result& result,
                                      const OutputStyle& style);
[[nodiscard]] std::string target_text(const TargetReport& report, const OutputStyle& style);

// As they stand in JSON; "unplug".
[[nodiscard]] std::string_view operation_name(Operation operation);
[[nodiscard]] std::string_view reason_name(Reason reason);
[[nodiscard]] std::string_view target_state_name(TargetState state);
[[nodiscard]] std::string_view other_name(OtherDriver driver);
// A size for people, or in plain bytes if they asked for those.
[[nodiscard]] std::string size_text(Bytes size, const OutputStyle& style);

}  // namespace memplug
