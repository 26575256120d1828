// SPDX-License-Identifier: MIT
// The verb 'plug': its options, and which of them exclude each other.
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
struct PlugOptions {
  std::optional<std::string> what = std::nullopt;
  std::optional<std::string> node = std::nullopt;
  bool all = false;
  bool dry_run = false;
  bool keep_watermarks = false;
};

CLI::App* setup_plug(CLI::App& app, PlugOptions& options);
[[nodiscard]] ExitStatus run_plug(const PlugOptions& options, const OpenDevice& open_device,
                                  const Surroundings& surroundings, Output& output);

[[nodiscard]] Verb plug_verb();

}  // namespace memplug
