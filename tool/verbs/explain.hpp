// SPDX-License-Identifier: MIT
// The verb 'explain': what each subblock of a range is, and what is in the way. Changes nothing.
#pragma once

#include <optional>
#include <string>

#include "machine/page_facts.hpp"
#include "memplug/device.hpp"
#include "request/open_device.hpp"
#include "terminal/output.hpp"
#include "verbs/verb.hpp"

namespace memplug {

struct ExplainOptions {
  // A RANGE, an address, or "pfn:N": what it is, is judged when the device is known.
  std::optional<std::string> range;
};

CLI::App* setup_explain(CLI::App& app, ExplainOptions& options);
[[nodiscard]] ExitStatus run_explain(const ExplainOptions& options, const OpenDevice& open_device,
                                     const PageFacts& facts, Output& output);

[[nodiscard]] Verb explain_verb();

}  // namespace memplug
