// SPDX-License-Identifier: MIT
// The verb 'watch': what happens, as it happens, one line each. Needs no privilege, but without it
// addresses are withheld.
#pragma once

#include <optional>
#include <string>

#include "memplug/device.hpp"
#include "request/open_device.hpp"
#include "terminal/output.hpp"
#include "verbs/verb.hpp"

namespace memplug {

struct WatchOptions {
  std::optional<std::string> count;
  std::optional<std::string> timeout;
  std::optional<std::string> events;
  bool monotonic = false;
};

CLI::App* setup_watch(CLI::App& app, WatchOptions& options);
[[nodiscard]] ExitStatus run_watch(const WatchOptions& options, const OpenDevice& open_device,
                                   Output& output);

[[nodiscard]] Verb watch_verb();

}  // namespace memplug
