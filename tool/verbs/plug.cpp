// SPDX-License-Identifier: MIT
// memplugctl plug
#include "verbs/plug.hpp"

#include <memory>

#include "memplug/failure.hpp"
#include "request/request.hpp"
#include "verbs/option_text.hpp"
#include "verbs/run_request.hpp"

namespace memplug {
namespace {

Request to_request(const PlugOptions& options) {
  if (options.what && options.all) {
    throw UsageError("'" + *options.what + "' and --all exclude each other");
  }
  if (!options.what && !options.all) {
    throw UsageError("a SIZE, a RANGE or --all is needed, such as 512M or 0x140000000+64M");
  }
  Request request;
  request.operation = Operation::Plug;
  request.all = options.all;
  request.dry_run = options.dry_run;
  if (options.what) {
    set_size_or_range(request, *options.what);
  }
  request.node = parse_option("--node", options.node, parse_node);
  if (request.start && request.node) {
    throw UsageError("--node goes with a SIZE or --all only: a RANGE already says where");
  }
  return request;
}

}  // namespace

CLI::App* setup_plug(CLI::App& app, PlugOptions& options) {
  CLI::App* verb = app.add_subcommand("plug", "Give memory back");
  add_text(*verb, "what", "SIZE|RANGE|--all", options.what,
           "how much (64M, 1.5G, 2GiB) or exactly what (0xFIRST-0xLAST inclusive, 0xFIRST+SIZE)");
  verb->add_flag("--all", options.all, "everything that is not tied, mapped or quarantined");
  add_text(*verb, "--node", "N", options.node, "only memory of this NUMA node");
  verb->add_flag("--dry-run", options.dry_run, "only tell what would be done");
  add_keep_watermarks(*verb, options.keep_watermarks);
  return verb;
}

ExitStatus run_plug(const PlugOptions& options, const OpenDevice& open_device,
                    const Surroundings& surroundings, Output& output) {
  return run_request(to_request(options), {options.keep_watermarks}, open_device, surroundings,
                     output);
}

Verb plug_verb() {
  const auto options = std::make_shared<PlugOptions>();
  return {.setup = [options](CLI::App& app) { return setup_plug(app, *options); },
          .run =
              [options](const Environment& environment) {
                return run_plug(*options, environment.open_device, environment.surroundings,
                                environment.output);
              },
          .changes_memory = true};
}

}  // namespace memplug
