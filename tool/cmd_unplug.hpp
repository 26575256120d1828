// SPDX-License-Identifier: MIT
// The verb 'unplug'.
#pragma once

#include "memplug/device.hpp"
#include "open_device.hpp"
#include "output.hpp"
#include "surroundings.hpp"
#include "unplug_options.hpp"

namespace CLI {
class App;
}

namespace memplug {

CLI::App* setup_unplug(CLI::App& app, UnplugOptions& options);
[[nodiscard]] ExitStatus run_unplug(const UnplugOptions& options, const OpenDevice& open_device,
                                    const Surroundings& surroundings, Output& output);

}  // namespace memplug
