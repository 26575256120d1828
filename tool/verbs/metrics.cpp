// SPDX-License-Identifier: MIT
// memplugctl metrics
#include "verbs/metrics.hpp"

#include <CLI/CLI.hpp>
#include <memory>

#include "look/status.hpp"
#include "memplug/failure.hpp"
#include "report/report.hpp"

namespace memplug {

CLI::App* setup_metrics(CLI::App& app, MetricsOptions& /*options*/) {
  CLI::App* verb = app.add_subcommand("metrics", "Show the status in Prometheus's text format");
  verb->footer(
      "The options of 'memplugctl --help' go with every verb, but for --json.\n"
      "Exit status: 0 done, 1 failed, 2 usage.");
  return verb;
}

ExitStatus run_metrics(const MetricsOptions& /*options*/, const OpenDevice& open_device,
                       Output& output) {
  if (output.style.json) {
    throw UsageError(
        "--json: metrics are in Prometheus's text format; 'memplugctl status --json' has the same "
        "figures as JSON");
  }
  Device device = open_device(Access::Read);
  output.data << metrics_text(read_status(device));
  return ExitStatus::Success;
}

Verb metrics_verb() {
  const auto options = std::make_shared<MetricsOptions>();
  return {.setup = [options](CLI::App& app) { return setup_metrics(app, *options); },
          .run =
              [options](const Environment& environment) {
                return run_metrics(*options, environment.open_device, environment.output);
              }};
}

}  // namespace memplug
