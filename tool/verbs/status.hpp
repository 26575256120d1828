// SPDX-License-Identifier: MIT
// The verb 'status'. Reads only; needs no privilege to run, but without it addresses are withheld.
#pragma once

#include "memplug/device.hpp"
#include "request/open_device.hpp"
#include "terminal/output.hpp"
#include "verbs/verb.hpp"

namespace memplug {

struct StatusOptions {};

CLI::App* setup_status(CLI::App& app, StatusOptions& options);
[[nodiscard]] ExitStatus run_status(const StatusOptions& options, const OpenDevice& open_device,
                                    Output& output);

[[nodiscard]] Verb status_verb();

}  // namespace memplug
