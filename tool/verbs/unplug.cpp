// SPDX-License-Identifier: MIT
// memplugctl unplug
#include "verbs/unplug.hpp"

#include <CLI/CLI.hpp>
#include <memory>

#include "memplug/failure.hpp"
#include "request/request.hpp"
#include "verbs/run_request.hpp"

namespace memplug {

CLI::App* setup_unplug(CLI::App& app, UnplugOptions& options) {
  CLI::App* verb = app.add_subcommand("unplug", "Take memory out");
  add_unplug_options(*verb, options);
  verb->add_flag("--exact", options.exact, "all of it or nothing");
  verb->add_flag("--reclaim-slab", options.reclaim_slab,
                 "if memory is in the way, drop unused dentries and inodes and try again");
  return verb;
}

ExitStatus run_unplug(const UnplugOptions& options, const OpenDevice& open_device,
                      const Surroundings& surroundings, Output& output) {
  if (options.reclaim_slab && options.dry_run) {
    throw UsageError("--reclaim-slab drops what the kernel keeps, and --dry-run changes nothing");
  }
  return run_request(to_request(options),
                     {.keep_watermarks = options.keep_watermarks,
                      .force = options.force,
                      .reclaim_slab = options.reclaim_slab},
                     open_device, surroundings, output);
}

Verb unplug_verb() {
  const auto options = std::make_shared<UnplugOptions>();
  return {.setup = [options](CLI::App& app) { return setup_unplug(app, *options); },
          .run =
              [options](const Environment& environment) {
                return run_unplug(*options, environment.open_device, environment.surroundings,
                                  environment.output);
              },
          .changes_memory = true};
}

}  // namespace memplug
