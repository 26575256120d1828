// SPDX-License-Identifier: MIT
// What docs/cli.md says of the JSON of each verb: keys in their order, types, names.
#pragma once

#include <string>

#include "fake_channel.hpp"

namespace memplug::fuzz {

enum class Schema { Status, List, Unplug, Plug, Target, Error };

// Each ends the program where it is not so.
void check_json(const std::string& text, Schema schema);
// The numbers that the module told are those that the report tells.
void check_against(const std::string& text, Schema schema, const test::FakeModule& module);
void check_text(const std::string& text);

}  // namespace memplug::fuzz
