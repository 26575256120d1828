// SPDX-License-Identifier: MIT
// memplugctl unplug
#include "cmd_unplug.hpp"

#include <CLI/CLI.hpp>

#include "request.hpp"

namespace memplug {

CLI::App* setup_unplug(CLI::App& app, UnplugOptions& options) {
  CLI::App* verb = app.add_subcommand("unplug", "Take memory out");
  add_unplug_options(*verb, options);
  verb->add_flag("--exact", options.exact, "all of it or nothing");
  return verb;
}

ExitStatus run_unplug(const UnplugOptions& options, const OpenDevice& open_device,
                      const Surroundings& surroundings, Output& output) {
  return run_request(to_request(options), {options.keep_watermarks, options.force}, open_device,
                     surroundings, output);
}

}  // namespace memplug
