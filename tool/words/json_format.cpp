// SPDX-License-Identifier: MIT
// Printing JSON.
#include "words/json_format.hpp"

namespace memplug {
namespace {

constexpr int schema_version = 1;

// A message may hold bytes that the user typed and that are not UTF-8; those must not throw.
std::string compact(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

Json versioned_json() {
  Json json;
  json["schema_version"] = schema_version;
  return json;
}

Json size_or_null(std::optional<Bytes> size) { return size ? Json(size->value) : Json(nullptr); }

void add_range(Json& json, Range range) {
  json["range"] = print_range(range);
  json["start"] = range.start.value;
  json["size"] = range.size.value;
}

std::string print_json(const Json& object) {
  std::string text = "{";
  const char* separator = "\n";
  for (const auto& [key, value] : object.items()) {
    text.append(separator).append(" ").append(compact(key)).append(": ");
    separator = ",\n";
    if (!value.is_array() || value.empty()) {
      text += compact(value);
      continue;
    }
    const char* record_separator = "[\n  ";
    for (const Json& record : value) {
      text.append(record_separator).append(compact(record));
      record_separator = ",\n  ";
    }
    text += "]";
  }
  return text + "\n}\n";
}

std::string print_json_line(const Json& object) { return compact(object) + "\n"; }

}  // namespace memplug
