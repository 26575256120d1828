// SPDX-License-Identifier: MIT
// The options of an unplug, for the verbs that make one, and which of them exclude each other.
#pragma once

#include <optional>
#include <string>

#include "memplug/device.hpp"

namespace CLI {
class App;
}

namespace memplug {

// As typed: quantities are parsed by us, for CLI11 takes signs, octal and overflow.
struct UnplugOptions {
  std::optional<std::string> what = std::nullopt;
  std::optional<std::string> node = std::nullopt;
  std::optional<std::string> within = std::nullopt;
  std::optional<std::string> align = std::nullopt;
  std::optional<std::string> timeout = std::nullopt;
  std::optional<std::string> zone = std::nullopt;
  bool contiguous = false;
  bool exact = false;
  bool dry_run = false;
  bool reclaim_slab = false;
  bool keep_watermarks = false;
  bool force = false;
};

// SIZE|RANGE and all options but --exact and --reclaim-slab.
void add_unplug_options(CLI::App& verb, UnplugOptions& options);
// Throws UsageError.
[[nodiscard]] Request to_request(const UnplugOptions& options);

}  // namespace memplug
