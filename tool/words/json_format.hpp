// SPDX-License-Identifier: MIT
// How every JSON object of the tool is built and printed. Knows no field but the version's.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "memplug/quantity.hpp"

namespace memplug {

// Keys stay in the order in which they were added.
using Json = nlohmann::ordered_json;

// An object with nothing but the version of the contract.
[[nodiscard]] Json versioned_json();

template <typename Value>
Json or_null(const std::optional<Value>& value) {
  return value ? Json(*value) : Json(nullptr);
}

[[nodiscard]] Json size_or_null(std::optional<Bytes> size);

// Adds "range", "start" and "size".
void add_range(Json& json, Range range);

// One key a line and one record a line: as easy to read as to grep. Ends with a newline.
[[nodiscard]] std::string print_json(const Json& object);
// All of it on one line, for where objects come one a line.
[[nodiscard]] std::string print_json_line(const Json& object);

}  // namespace memplug
