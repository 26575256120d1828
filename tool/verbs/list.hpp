// SPDX-License-Identifier: MIT
// The verb 'list'. Reads only; needs no privilege to run, but without it addresses are withheld.
#pragma once

#include <optional>
#include <string>

#include "memplug/device.hpp"
#include "request/open_device.hpp"
#include "terminal/output.hpp"
#include "verbs/verb.hpp"

namespace memplug {

struct ListOptions {
  std::optional<std::string> node = std::nullopt;
  std::optional<std::string> state = std::nullopt;
  std::optional<std::string> columns = std::nullopt;
  bool no_headings = false;
  bool raw = false;
};

CLI::App* setup_list(CLI::App& app, ListOptions& options);
[[nodiscard]] ExitStatus run_list(const ListOptions& options, const OpenDevice& open_device,
                                  Output& output);

[[nodiscard]] Verb list_verb();

}  // namespace memplug
