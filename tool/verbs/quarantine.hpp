// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "memplug/device.hpp"
#include "quarantine/quarantine_file.hpp"
#include "request/open_device.hpp"
#include "terminal/output.hpp"
#include "verbs/verb.hpp"

namespace memplug {

enum class QuarantineVerb { None, Add, Remove, List, Apply, Export, Follow };

struct QuarantineOptions {
  QuarantineVerb verb = QuarantineVerb::None;
  std::optional<std::string> range;
  std::string file = default_quarantine_file;
  std::optional<std::string> timeout;
  std::string format = "ranges";
  bool all = false;
  bool no_save = false;
  std::optional<std::string> threshold;
  std::optional<std::string> margin;
  bool dry_run = false;
};

CLI::App* setup_quarantine(CLI::App& app, QuarantineOptions& options);

// Nothing: there is none any more.
using NextLine = std::function<std::optional<std::string>()>;

// next_line: of the log that `follow` reads.
[[nodiscard]] ExitStatus run_quarantine(const QuarantineOptions& options,
                                        const OpenDevice& open_device, const NextLine& next_line,
                                        Output& output);

[[nodiscard]] Verb quarantine_verb();

}  // namespace memplug
