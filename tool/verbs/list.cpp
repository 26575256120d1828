// SPDX-License-Identifier: MIT
// memplugctl list
#include "verbs/list.hpp"

#include <CLI/CLI.hpp>

#include "report/report.hpp"

namespace memplug {

CLI::App* setup_list(CLI::App& app, ListOptions& /*options*/) {
  return app.add_subcommand("list", "Show the unplugged ranges");
}

ExitStatus run_list(const ListOptions& /*options*/, const OpenDevice& open_device, Output& output) {
  const RangeList list = open_device(Access::Read).list();
  output.data << (output.style.json ? list_json(list.ranges)
                                    : list_text(list.ranges, output.style));
  return ExitStatus::Success;
}

}  // namespace memplug
