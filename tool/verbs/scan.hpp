// SPDX-License-Identifier: MIT
// The verb 'scan': what could be unplugged, and what is in the way of the rest. Changes nothing.
#pragma once

#include <optional>
#include <string>

#include "machine/surroundings.hpp"
#include "memplug/device.hpp"
#include "request/open_device.hpp"
#include "terminal/output.hpp"
#include "verbs/verb.hpp"

namespace memplug {

struct ScanOptions {
  std::optional<std::string> within = std::nullopt;
  std::optional<std::string> align = std::nullopt;
  std::optional<std::string> zone = std::nullopt;
};

CLI::App* setup_scan(CLI::App& app, ScanOptions& options);
[[nodiscard]] ExitStatus run_scan(const ScanOptions& options, const OpenDevice& open_device,
                                  const Surroundings& surroundings, Output& output);

[[nodiscard]] Verb scan_verb();

}  // namespace memplug
