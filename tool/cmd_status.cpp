// SPDX-License-Identifier: MIT
// memplugctl status
#include "cmd_status.hpp"

#include <sys/utsname.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <chrono>
#include <thread>

#include "failure.hpp"
#include "report.hpp"
#include "shortfall.hpp"

namespace memplug {
namespace {

constexpr int max_tries = 100;
constexpr std::chrono::milliseconds between_tries{1};

// Sizes, nodes and ranges come from three calls; the generation tells whether they belong together.
Status read_status(Device& device) {
  for (int tries = 0; tries < max_tries; ++tries) {
    if (tries > 0) {
      std::this_thread::sleep_for(between_tries);
    }
    Status status;
    status.info = device.info();
    NodeList nodes = device.nodes();
    RangeList list = device.list();
    if (nodes.generation != status.info.generation || list.generation != status.info.generation) {
      continue;
    }
    status.nodes = std::move(nodes.nodes);
    status.ranges = std::move(list.ranges);
    status.counters = device.counters();
    return status;
  }
  throw Failure(EAGAIN, "memory changes faster than its status can be read",
                "try again when less is going on");
}

std::string kernel_release() {
  utsname name{};
  // It can't fail with a good address.
  ::uname(&name);
  return std::begin(name.release);
}

}  // namespace

CLI::App* setup_status(CLI::App& app, StatusOptions& /*options*/) {
  return app.add_subcommand("status", "Show sizes, nodes, unplugged ranges and counters");
}

ExitStatus run_status(const StatusOptions& /*options*/, const OpenDevice& open_device,
                      Output& output) {
  Device device = open_device(Access::Read);
  Status status = read_status(device);
  status.tool_version = MEMPLUG_VERSION;
  status.kernel = kernel_release();
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
