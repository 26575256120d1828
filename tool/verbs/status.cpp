// SPDX-License-Identifier: MIT
// memplugctl status
#include "verbs/status.hpp"

#include <CLI/CLI.hpp>
#include <memory>

#include "look/status.hpp"
#include "report/report.hpp"
#include "report/shortfall.hpp"
#include "words/prose.hpp"

namespace memplug {
CLI::App* setup_status(CLI::App& app, StatusOptions& /*options*/) {
  CLI::App* verb = app.add_subcommand("status", "Show sizes, nodes, unplugged ranges and counters");
  verb->footer(looking_footer);
  return verb;
}

ExitStatus run_status(const StatusOptions& /*options*/, const OpenDevice& open_device,
                      Output& output) {
  Device device = open_device(Access::Read);
  const Status status = read_status(device);
  output.give(output.style.json ? status_json(status) : status_text(status, output.style));
  output.explain([&] {
    return (status.info.managed == Bytes{} ? prose_line("status", why_nothing_is_managed()) +
                                                 prose_line("status", step_if_nothing_is_managed())
                                           : "") +
           explain_wanted("status", status.info, output.style) +
           explain_others("status", status.info.others);
  });
  return ExitStatus::Success;
}

Verb status_verb() {
  const auto options = std::make_shared<StatusOptions>();
  return {.setup = [options](CLI::App& app) { return setup_status(app, *options); },
          .run =
              [options](const Environment& environment) {
                return run_status(*options, environment.open_device, environment.output);
              }};
}

}  // namespace memplug
