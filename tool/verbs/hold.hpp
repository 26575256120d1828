// SPDX-License-Identifier: MIT
// The verb 'hold': takes memory for as long as a command runs.
#pragma once

#include <string>
#include <vector>

#include "machine/surroundings.hpp"
#include "memplug/device.hpp"
#include "request/open_device.hpp"
#include "terminal/output.hpp"
#include "verbs/unplug_options.hpp"
#include "verbs/verb.hpp"

namespace memplug {

struct HoldOptions {
  UnplugOptions unplug{};
  // What stands behind "--", byte for byte: CLI11 would take some of its words for lists.
  std::vector<std::string> command{};
  // What stands before it and is no option.
  std::vector<std::string> misplaced{};
};

// When memplug could not do its part: nothing was run.
inline constexpr ExitStatus hold_failed{125};

CLI::App* setup_hold(CLI::App& app, HoldOptions& options);
// The command's own status, or one of env(1)'s.
[[nodiscard]] ExitStatus run_hold(const HoldOptions& options, const OpenDevice& open_device,
                                  const Surroundings& surroundings, Output& output);

[[nodiscard]] Verb hold_verb();

}  // namespace memplug
