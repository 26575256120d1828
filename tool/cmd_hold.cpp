// SPDX-License-Identifier: MIT
// memplugctl hold
//
// The memory is tied to the descriptor, which the command inherits: the kernel gives it back when
// the last of those who have it is gone, whatever becomes of this process.
#include "cmd_hold.hpp"

#include <CLI/CLI.hpp>
#include <cerrno>
#include <optional>

#include "child_process.hpp"
#include "memplug.h"
#include "memplug/failure.hpp"
#include "report.hpp"
#include "request.hpp"
#include "shortfall.hpp"

namespace memplug {
namespace {

// env(1)'s.
constexpr ExitStatus cannot_run{126};
constexpr ExitStatus not_found{127};

Request to_tied_request(const HoldOptions& options) {
  Request request = to_request(options.unplug);
  if (options.command.empty()) {
    throw UsageError("a command is needed, such as: memplugctl hold 64M -- memtester ...");
  }
  // One run is all or nothing by itself.
  request.exact = !request.contiguous;
  request.tied = true;
  return request;
}

std::string print_ranges(const std::vector<HeldRange>& ranges) {
  std::string text;
  for (const HeldRange& range : ranges) {
    text += text.empty() ? "" : " ";
    text += print_range({range.start.value_or(PhysAddr{}), range.size});
  }
  return text;
}

// What is held already, by whomever, can't be held for this command.
Failure somebody_holds(const Request& request) {
  const Range range{request.start.value_or(PhysAddr{}), request.length};
  return {EBUSY, "part of " + print_range(range) + " is unplugged already",
          "'memplugctl list' tells what is, and who holds it; 'memplugctl plug' gives back what "
          "nobody holds"};
}

ExitStatus run_command(const HoldOptions& options, const Request& request, const Result& result,
                       int descriptor, Output& output) {
  std::string json = result_json(request, result);
  json.erase(json.find_last_not_of('\n') + 1);
  ChildProcess child;
  child.command = options.command;
  child.descriptor = descriptor;
  child.environment = {{"MEMPLUG_FD", std::to_string(descriptor)},
                       {"MEMPLUG_RANGES", print_ranges(result.ranges)},
                       {"MEMPLUG_JSON", json}};
  try {
    return static_cast<ExitStatus>(run_child(child));
  } catch (const std::system_error& error) {
    output.prose << prose_line(
        "hold", with_reason("cannot run " + options.command.front(), error.code().value()));
    return error.code().value() == ENOENT ? not_found : cannot_run;
  }
}

}  // namespace

CLI::App* setup_hold(CLI::App& app, HoldOptions& options) {
  CLI::App* verb = app.add_subcommand("hold", "Take memory out while a command runs");
  add_unplug_options(*verb, options.unplug);
  verb->add_option("command", options.command,
                   "what to run, after '--'; it finds MEMPLUG_FD, MEMPLUG_RANGES and MEMPLUG_JSON "
                   "in its environment")
      ->type_name("CMD ...");
  verb->footer(
      "The options of 'memplugctl --help' go with every verb, before '--'.\n"
      "All of the memory or nothing. It is given back when CMD, and whoever it has left its\n"
      "descriptor to, is gone. Exit status: CMD's own, 128+n if signal n ended it, 125 if the\n"
      "memory was not to be had or the usage is wrong, 126 if CMD can't be run, 127 if there is\n"
      "no CMD.");
  return verb;
}

ExitStatus run_hold(const HoldOptions& options, const OpenDevice& open_device,
                    const Watermarks& watermarks, Output& output) {
  const Request request = to_tied_request(options);
  const Watermarks* const recompute = options.unplug.keep_watermarks ? nullptr : &watermarks;
  std::optional<Device> device = open_device(Access::Write);
  const Info info = device->info();
  require_feature(info, MEMPLUG_FEATURE_TIED, "can't tie memory to a command");
  const Result result = carry_out(request, *device, info, recompute, output);
  const bool has_all = result.shortfall().value == 0;
  if (has_all && result.already.value != 0) {
    throw somebody_holds(request);
  }
  if (!has_all || request.dry_run) {
    report(request, info, result, output);
    return has_all ? ExitStatus::Success : hold_failed;
  }
  const ExitStatus status = run_command(options, request, result, device->descriptor(), output);
  // With our copy of the descriptor the memory goes back, unless the command has left one behind.
  device.reset();
  if (recompute != nullptr && result.done >= least_for_watermarks) {
    recompute->recompute("hold", output);
  }
  return status;
}

}  // namespace memplug
