// SPDX-License-Identifier: MIT
// docs/cli.md as tables. A type is a letter: n a number, z a number or null, s a string, t a
// string or null, b a boolean, o an object, a an array.
#include "report_schema.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>
#include <vector>

#include "memplug/quantity.hpp"
#include "require.hpp"

namespace memplug::fuzz {
namespace {

using Json = nlohmann::ordered_json;
using Keys = std::vector<std::pair<std::string_view, char>>;
using Names = std::vector<std::string_view>;

const Keys& keys_of(Schema schema) {
  static const Keys status{{"schema_version", 'n'},
                           {"module_version", 's'},
                           {"tool_version", 's'},
                           {"kernel", 's'},
                           {"abi", 'n'},
                           {"page_size", 'n'},
                           {"granularity", 'n'},
                           {"subblock_size", 'n'},
                           {"managed_size", 'n'},
                           {"plugged_size", 'n'},
                           {"unplugged_size", 'n'},
                           {"wanted_size", 'n'},
                           {"target_size", 'z'},
                           {"floor_size", 'n'},
                           {"nodes", 'a'},
                           {"ranges", 'a'},
                           {"counters", 'o'},
                           {"target_state", 's'},
                           {"wanted_other_zone_size", 'n'},
                           {"others", 'a'},
                           {"quarantined_size", 'n'},
                           {"low_managed_size", 'n'},
                           {"low_unplugged_size", 'n'},
                           {"low_reserve_size", 'n'}};
  static const Keys list{{"schema_version", 'n'}, {"ranges", 'a'}};
  static const Keys unplug{{"schema_version", 'n'}, {"operation", 's'},      {"dry_run", 'b'},
                           {"requested_size", 'n'}, {"done_size", 'n'},      {"already_size", 'n'},
                           {"shortfall", 'n'},      {"ranges", 'a'},         {"blocked", 'a'},
                           {"truncated", 'b'},      {"pages_migrated", 'n'}, {"elapsed_us", 'n'},
                           {"stopped_by", 't'}};
  static const Keys plug = [] {
    Keys keys = unplug;
    keys.emplace_back("left_size", 'n');
    return keys;
  }();
  static const Keys target{{"schema_version", 'n'}, {"operation", 's'},    {"target_size", 'z'},
                           {"managed_size", 'n'},   {"plugged_size", 'n'}, {"wanted_size", 'n'},
                           {"floor_size", 'n'},     {"state", 's'},        {"elapsed_us", 'n'},
                           {"stopped_by", 't'},     {"dry_run", 'b'},      {"total_size", 'z'}};
  static const Keys error{{"schema_version", 'n'}, {"error", 'o'}};
  switch (schema) {
    case Schema::Status:
      return status;
    case Schema::List:
      return list;
    case Schema::Unplug:
      return unplug;
    case Schema::Plug:
      return plug;
    case Schema::Target:
      return target;
    case Schema::Error:
      break;
  }
  return error;
}

bool is_of_type(const Json& value, char type) {
  switch (type) {
    case 'n':
      return value.is_number_integer();
    case 'z':
      return value.is_null() || value.is_number_integer();
    case 's':
      return value.is_string();
    case 't':
      return value.is_null() || value.is_string();
    case 'b':
      return value.is_boolean();
    case 'o':
      return value.is_object();
    default:
      return value.is_array();
  }
}

void check_keys(const Json& object, const Keys& keys) {
  require(object.is_object(), "it is an object", object.dump());
  auto key = keys.begin();
  for (const auto& [name, value] : object.items()) {
    require(key != keys.end() && name == key->first, "each key is documented, and in its place",
            name);
    require(is_of_type(value, key->second), "a value has its type", name);
    ++key;
  }
  require(key == keys.end(), "no key is missing", object.dump());
}

void check_name(const Json& value, const Names& names) {
  require(value.is_null() ||
              std::find(names.begin(), names.end(), value.get<std::string>()) != names.end(),
          "a name is documented", value.dump());
}

// What the range says is what start and size say, wherever there is such a range.
void check_range_words(const Json& record) {
  const auto& range = record.at("range");
  require(range.is_null() == record.at("start").is_null(), "both withheld, or none", record.dump());
  const auto size = record.at("size").get<std::uint64_t>();
  if (range.is_null() || size == 0) {
    return;
  }
  const auto start = record.at("start").get<std::uint64_t>();
  require(range == print_range({PhysAddr{start}, Bytes{size}}), "a range says where it is",
          record.dump());
}

void check_ranges(const Json& ranges) {
  static const Keys keys{{"range", 't'},   {"start", 'z'},  {"size", 'n'},       {"node", 'n'},
                         {"held_by", 'z'}, {"mapped", 'b'}, {"quarantined", 'b'}};
  for (const Json& record : ranges) {
    check_keys(record, keys);
    check_range_words(record);
  }
}

void check_blocked(const Json& blocked) {
  static const Keys keys{{"range", 's'}, {"start", 'n'},  {"size", 'n'},
                         {"node", 'n'},  {"reason", 's'}, {"pfn", 'z'}};
  static const Names reasons{"unmovable", "reserved", "pinned",    "hugetlb",    "hwpoison",
                             "cma",       "busy",     "no_memory", "floor",      "offline",
                             "unknown",   "mapped",   "held",      "quarantined"};
  for (const Json& record : blocked) {
    check_keys(record, keys);
    check_range_words(record);
    check_name(record.at("reason"), reasons);
  }
}

void check_status(const Json& json) {
  static const Keys node{
      {"node", 'n'}, {"managed_size", 'n'}, {"plugged_size", 'n'}, {"unplugged_size", 'n'}};
  static const Keys counters{{"unplug_requests", 'n'}, {"plug_requests", 'n'},  {"claims", 'n'},
                             {"claims_failed", 'n'},   {"pages_migrated", 'n'}, {"survey_us", 'n'},
                             {"claim_us", 'n'},        {"oom_events", 'n'},     {"oom_pages", 'n'}};
  static const Names others{"virtio_mem", "virtio_balloon", "hv_balloon", "xen_balloon"};
  for (const Json& record : json.at("nodes")) {
    check_keys(record, node);
  }
  check_keys(json.at("counters"), counters);
  for (const Json& other : json.at("others")) {
    check_name(other, others);
  }
}

void require_number(const Json& json, const char* key, std::uint64_t told) {
  require(json.at(key).get<std::uint64_t>() == told, "a number is as the module told it", key);
}

void check_sizes(const Json& json, const memplug_info& info) {
  require_number(json, "managed_size", info.out_managed_size);
  require_number(json, "plugged_size", info.out_managed_size - info.out_unplugged_size);
  require_number(json, "wanted_size", info.out_wanted_size);
  require_number(json, "floor_size", info.out_floor_size);
  const bool has_target = info.out_target_size != MEMPLUG_NO_TARGET;
  require(json.at("target_size").is_null() != has_target, "null: there is no target");
  if (has_target) {
    require_number(json, "target_size", info.out_target_size);
  }
}

}  // namespace

void check_json(const std::string& text, Schema schema) {
  static const Names stops{"floor", "timeout", "interrupted", "exhausted"};
  static const Names states{"none", "reached", "working", "floor", "blocked"};
  const Json json = Json::parse(text, nullptr, false);
  require(!json.is_discarded(), "it is JSON", text);
  require(!text.empty() && text.back() == '\n', "its last line is whole", text);
  check_keys(json, keys_of(schema));
  require(json.at("schema_version") == 1, "the version of the schema", text);
  if (json.contains("ranges")) {
    check_ranges(json.at("ranges"));
  }
  if (json.contains("blocked")) {
    check_blocked(json.at("blocked"));
  }
  if (json.contains("stopped_by")) {
    check_name(json.at("stopped_by"), stops);
  }
  if (schema == Schema::Status) {
    check_status(json);
    check_name(json.at("target_state"), states);
  } else if (schema == Schema::Target) {
    check_name(json.at("state"), states);
  } else if (schema == Schema::Error) {
    check_keys(json.at("error"), {{"errno", 't'}, {"message", 's'}});
  }
}

void check_against(const std::string& text, Schema schema, const test::FakeModule& module) {
  const Json json = Json::parse(text);
  if (schema == Schema::Status || schema == Schema::Target) {
    check_sizes(json, module.info);
  }
  if (schema == Schema::Status) {
    require_number(json, "unplugged_size", module.info.out_unplugged_size);
    require_number(json, "subblock_size", module.info.out_subblock_size);
    require_number(json.at("counters"), "claims", module.counters.out_claims);
    require(json.at("nodes").size() == module.nodes.size(), "each node is told");
  }
  if (schema == Schema::Status || schema == Schema::List) {
    require(json.at("ranges").size() == module.ranges.size(), "each range is told");
    for (std::size_t i = 0; i < module.ranges.size(); ++i) {
      require_number(json.at("ranges").at(i), "size", module.ranges[i].length);
    }
  }
}

void check_text(const std::string& text) {
  require(text.empty() || text.back() == '\n', "its last line is whole", text);
}

}  // namespace memplug::fuzz
