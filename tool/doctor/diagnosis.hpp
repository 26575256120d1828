// SPDX-License-Identifier: MIT
// Whether a machine is fit for memplug, from what was found out about it: pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "doctor/machine_facts.hpp"

namespace memplug {

enum class Verdict { Ok, Warning, Failed, Unknown };

struct Check {
  std::string_view name;
  Verdict verdict = Verdict::Ok;
  std::string found;
  std::string next;  // the command to type, or what else to do; empty: nothing
};

// What opening the device gave: what the module told, or why it could not be asked.
struct DeviceAnswer {
  std::optional<Info> info;
  int error_number = 0;
  std::string message;
  std::string step;
};

struct Diagnosis {
  std::string kernel;
  std::vector<Check> checks;  // in the order in which they are to be mended

  [[nodiscard]] bool fit() const;
  // Of the first that failed, or else of the first that warns; empty: nothing is to be done.
  [[nodiscard]] std::string_view next() const;
};

[[nodiscard]] Diagnosis diagnose(const MachineFacts& facts, const DeviceAnswer& device,
                                 std::string_view tool_version);

}  // namespace memplug
