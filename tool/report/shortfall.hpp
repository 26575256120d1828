// SPDX-License-Identifier: MIT
// Why a request got less than it asked for, and what usually helps: prose for stderr, line by line
// with its prefix. Scripts read the report instead.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "machine/zone_names.hpp"
#include "memplug/device.hpp"
#include "memplug/failure.hpp"
#include "terminal/output.hpp"

namespace memplug {

// Empty if there is nothing to explain.
[[nodiscard]] std::string explain_result(const Request& request, const Info& info,
                                         const Result& result, const OutputStyle& style);

// A request for memory of a node that has none to take from, but these zones.
[[nodiscard]] std::string explain_node_without_memory(const Request& request,
                                                      const std::vector<std::string>& zones);

// Why the target is not reached and the command no longer waits, or why it will hardly get on; of
// one that is not set, why it would not. Empty if there is nothing to explain.
[[nodiscard]] std::string explain_target(const Info& info, Stop stop, const OutputStyle& style,
                                         bool is_set = true);

// One line that names them, or nothing if there are none.
[[nodiscard]] std::string explain_others(std::string_view verb,
                                         const std::vector<OtherDriver>& others);
// Wanted memory that can't be had where it is now, or nothing.
[[nodiscard]] std::string explain_wanted(std::string_view verb, const Info& info,
                                         const OutputStyle& style);

// What these reasons mean and what usually helps, a line each.
[[nodiscard]] std::string explain_reasons(std::string_view verb,
                                          const std::map<Reason, Bytes>& by_reason,
                                          const OutputStyle& style);

// "stopped by the floor: ..."
[[nodiscard]] std::string floor_sentence(const Info& info, const OutputStyle& style);
// What to say when no memory at all is managed.
[[nodiscard]] std::string why_nothing_is_managed();
[[nodiscard]] std::string step_if_nothing_is_managed();

}  // namespace memplug
