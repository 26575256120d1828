// SPDX-License-Identifier: MIT
// memplugctl status
#include "verbs/status.hpp"

#include <CLI/CLI.hpp>

#include "look/status.hpp"
#include "report/report.hpp"
#include "report/shortfall.hpp"
#include "words/prose.hpp"

namespace memplug {
CLI::App* setup_status(CLI::App& app, StatusOptions& /*options*/) {
  return app.add_subcommand("status", "Show sizes, nodes, unplugged ranges and counters");
}

ExitStatus run_status(const StatusOptions& /*options*/, const OpenDevice& open_device,
                      Output& output) {
  Device device = open_device(Access::Read);
  const Status status = read_status(device);
  output.data << (output.style.json ? status_json(status) : status_text(status, output.style));
  if (output.style.quiet) {
    return ExitStatus::Success;
  }
  if (status.info.managed.value == 0) {
    output.prose << prose_line("status", why_nothing_is_managed())
                 << prose_line("status", step_if_nothing_is_managed());
  }
  output.prose << explain_wanted("status", status.info, output.style)
               << explain_others("status", status.info.others);
  return ExitStatus::Success;
}

}  // namespace memplug
