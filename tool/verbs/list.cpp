// SPDX-License-Identifier: MIT
// memplugctl list
#include "verbs/list.hpp"

#include <CLI/CLI.hpp>
#include <memory>

#include "report/report.hpp"

namespace memplug {

CLI::App* setup_list(CLI::App& app, ListOptions& /*options*/) {
  CLI::App* verb = app.add_subcommand("list", "Show the unplugged ranges");
  verb->footer(looking_footer);
  return verb;
}

ExitStatus run_list(const ListOptions& /*options*/, const OpenDevice& open_device, Output& output) {
  const RangeList list = open_device(Access::Read).list();
  output.data << (output.style.json ? list_json(list.ranges)
                                    : list_text(list.ranges, output.style));
  return ExitStatus::Success;
}

Verb list_verb() {
  const auto options = std::make_shared<ListOptions>();
  return {.setup = [options](CLI::App& app) { return setup_list(app, *options); },
          .run =
              [options](const Environment& environment) {
                return run_list(*options, environment.open_device, environment.output);
              }};
}

}  // namespace memplug
