// SPDX-License-Identifier: MIT
// The verb 'target': sets what the module works toward, and waits for it if asked to.
#pragma once

#include <optional>
#include <string>

#include "machine/surroundings.hpp"
#include "memplug/device.hpp"
#include "request/open_device.hpp"
#include "terminal/output.hpp"
#include "verbs/verb.hpp"

namespace memplug {

// As typed: quantities are parsed by us, for CLI11 takes signs, octal and overflow.
struct TargetOptions {
  std::optional<std::string> what = std::nullopt;
  std::optional<std::string> total = std::nullopt;
  std::optional<std::string> by = std::nullopt;
  std::optional<std::string> timeout = std::nullopt;
  bool wait = false;
  bool keep_watermarks = false;
  bool force = false;
  bool dry_run = false;
  bool save = false;
};

CLI::App* setup_target(CLI::App& app, TargetOptions& options);
[[nodiscard]] ExitStatus run_target(const TargetOptions& options, const OpenDevice& open_device,
                                    const Surroundings& surroundings, Output& output);

[[nodiscard]] Verb target_verb();

}  // namespace memplug
