// SPDX-License-Identifier: MIT
// The verb 'version': what the tool is, and the module that is loaded, if there is one.
#pragma once

#include "request/open_device.hpp"
#include "terminal/output.hpp"
#include "verbs/verb.hpp"

namespace memplug {

CLI::App* setup_version(CLI::App& app);
[[nodiscard]] ExitStatus run_version(const OpenDevice& open_device, Output& output);

[[nodiscard]] Verb version_verb();

}  // namespace memplug
