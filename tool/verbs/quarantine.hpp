// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>

#include "memplug/device.hpp"
#include "quarantine/quarantine_file.hpp"
#include "request/open_device.hpp"
#include "terminal/output.hpp"
#include "verbs/verb.hpp"

namespace memplug {

enum class QuarantineVerb { None, Add, Remove, List, Apply, Export };

struct QuarantineOptions {
  QuarantineVerb verb = QuarantineVerb::None;
  std::optional<std::string> range;
  std::string file = default_quarantine_file;
  std::optional<std::string> timeout;
  std::string format = "ranges";
  bool all = false;
  bool no_save = false;
};

CLI::App* setup_quarantine(CLI::App& app, QuarantineOptions& options);

[[nodiscard]] ExitStatus run_quarantine(const QuarantineOptions& options,
                                        const OpenDevice& open_device, Output& output);

[[nodiscard]] Verb quarantine_verb();

}  // namespace memplug
