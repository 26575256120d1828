// SPDX-License-Identifier: MIT
// The verb 'unplug'.
#pragma once

#include "machine/surroundings.hpp"
#include "memplug/device.hpp"
#include "request/open_device.hpp"
#include "terminal/output.hpp"
#include "verbs/unplug_options.hpp"
#include "verbs/verb.hpp"

namespace memplug {

CLI::App* setup_unplug(CLI::App& app, UnplugOptions& options);
[[nodiscard]] ExitStatus run_unplug(const UnplugOptions& options, const OpenDevice& open_device,
                                    const Surroundings& surroundings, Output& output);

[[nodiscard]] Verb unplug_verb();

}  // namespace memplug
