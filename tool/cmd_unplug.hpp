// SPDX-License-Identifier: MIT
// The verb 'unplug': its options, and which of them exclude each other.
#pragma once

#include <optional>
#include <string>

#include "device.hpp"
#include "output.hpp"
#include "watermarks.hpp"

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
  bool contiguous = false;
  bool exact = false;
  bool dry_run = false;
  bool keep_watermarks = false;
};

CLI::App* setup_unplug(CLI::App& app, UnplugOptions& options);
[[nodiscard]] ExitStatus run_unplug(const UnplugOptions& options, const OpenDevice& open_device,
                                    const Watermarks& watermarks, Output& output);

}  // namespace memplug
