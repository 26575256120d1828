// SPDX-License-Identifier: MIT
// memplugctl hold
//
// The memory is tied to the descriptor, which the command inherits: the kernel gives it back when
// the last of those who have it is gone, whatever becomes of this process.
#include "verbs/hold.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <memory>
#include <optional>

#include "file_descriptor.hpp"
#include "memplug.h"
#include "memplug/failure.hpp"
#include "process/child_process.hpp"
#include "report/report.hpp"
#include "request/refusals.hpp"
#include "request/request.hpp"
#include "terminal/interrupt.hpp"
#include "verbs/run_request.hpp"
#include "words/prose.hpp"

namespace memplug {
namespace {

// env(1)'s.
constexpr ExitStatus cannot_run{126};
constexpr ExitStatus not_found{127};

Request to_tied_request(const HoldOptions& options) {
  Request request = to_request(options.unplug);
  if (!options.misplaced.empty()) {
    throw UsageError("'" + options.misplaced.front() +
                     "' stands before the '--' that is to come before the command, such as in: "
                     "memplugctl hold 64M -- memtester ...");
  }
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

// The kernel takes no longer string (MAX_ARG_STRLEN: 32 pages, the zero at its end included).
bool fits_in_environment(const std::string& name, const std::string& value) {
  const auto page_size = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return name.size() + 1 + value.size() + 1 <= 32 * page_size;
}

std::optional<std::string> if_it_fits(const std::string& name, const std::string& value) {
  return fits_in_environment(name, value) ? std::optional(value) : std::nullopt;
}

// A file in memory that the command can read from its beginning, and nobody can change.
class ReadableText {
 public:
  explicit ReadableText(const std::string& text)
      : file_(::memfd_create("memplug-json", MFD_CLOEXEC | MFD_ALLOW_SEALING)) {
    bool is_written = file_.is_open();
    for (std::size_t done = 0; is_written && done < text.size();) {
      const ssize_t written = ::pwrite(file_.number(), text.data() + done, text.size() - done,
                                       static_cast<off_t>(done));
      is_written = written > 0 || (written < 0 && errno == EINTR);
      done += written > 0 ? static_cast<std::size_t>(written) : 0;
    }
    constexpr int all_seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
    if (!is_written || ::fcntl(file_.number(), F_ADD_SEALS, all_seals) != 0) {
      throw std::system_error(errno, std::generic_category(), "cannot hand over the result");
    }
  }

  [[nodiscard]] int number() const { return file_.number(); }

 private:
  FileDescriptor file_;
};

// Nothing: a signal called it off.
std::optional<ExitStatus> run_command(const HoldOptions& options, const Request& request,
                                      const Result& result, int descriptor, Output& output) {
  std::string json = result_json(request, result);
  json.erase(json.find_last_not_of('\n') + 1);
  const ReadableText handed(json + "\n");
  const std::string ranges = print_ranges(result.ranges);
  ChildProcess child;
  child.command = options.command;
  child.descriptors = {descriptor, handed.number()};
  child.called_off = InterruptGuard::interrupted;
  child.environment = {{"MEMPLUG_FD", std::to_string(descriptor)},
                       {"MEMPLUG_JSON_FD", std::to_string(handed.number())},
                       {"MEMPLUG_RANGES", if_it_fits("MEMPLUG_RANGES", ranges)},
                       {"MEMPLUG_JSON", if_it_fits("MEMPLUG_JSON", json)}};
  const auto run = [&child]() -> std::optional<ExitStatus> {
    const std::optional<int> status = run_child(child);
    return status ? std::optional(static_cast<ExitStatus>(*status)) : std::nullopt;
  };
  try {
    try {
      return run();
    } catch (const std::system_error& error) {
      if (error.code().value() != E2BIG) {
        throw;
      }
    }
    // There is a limit for all strings together, too, and the environment that we have may use it
    // up.
    child.environment[2].second.reset();
    child.environment[3].second.reset();
    return run();
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
  verb->add_option("command", options.misplaced,
                   "what to run, after '--'; it finds MEMPLUG_FD, MEMPLUG_RANGES, MEMPLUG_JSON and "
                   "MEMPLUG_JSON_FD in its environment")
      ->type_name("-- CMD");
  verb->footer(
      "The options of 'memplugctl --help' go with every verb, before '--'.\n"
      "All of the memory or nothing. It is given back when CMD, and whoever it has left its\n"
      "descriptor to, is gone. Exit status: CMD's own, 128+n if signal n ended it, 125 if the\n"
      "memory was not to be had or the usage is wrong, 126 if CMD can't be run, 127 if there is\n"
      "no CMD.");
  return verb;
}

ExitStatus run_hold(const HoldOptions& options, const OpenDevice& open_device,
                    const Surroundings& surroundings, Output& output) {
  const Request request = to_tied_request(options);
  const Manner manner{options.unplug.keep_watermarks, options.unplug.force};
  std::optional<Device> device = open_device(Access::Write);
  const Info info = device->info();
  require_feature(info, MEMPLUG_FEATURE_TIED, "can't tie memory to a command");
  const Result result = carry_out(request, manner, *device, info, surroundings, output);
  const bool has_all = result.shortfall() == Bytes{};
  if (has_all && result.already != Bytes{}) {
    throw somebody_holds(request);
  }
  if (!has_all || request.dry_run) {
    report(request, info, result, *device, surroundings, output);
    return has_all ? ExitStatus::Success : hold_failed;
  }
  const std::optional<ExitStatus> status =
      run_command(options, request, result, device->descriptor(), output);
  // With our copy of the descriptor the memory goes back, unless the command has left one behind.
  device.reset();
  if (!manner.keep_watermarks && result.done >= least_for_watermarks) {
    surroundings.watermarks.recompute("hold", output);
  }
  if (!status) {
    throw Failure(EINTR, "interrupted before the command began", "the memory is given back");
  }
  return *status;
}

Verb hold_verb() {
  const auto options = std::make_shared<HoldOptions>();
  return {
      .setup = [options](CLI::App& app) { return setup_hold(app, *options); },
      .run =
          [options](const Environment& environment) {
            return run_hold(*options, environment.open_device, environment.surroundings,
                            environment.output);
          },
      .changes_memory = true,
      .failure = hold_failed,
      .take_command =
          [options](std::vector<std::string> command) { options->command = std::move(command); }};
}

}  // namespace memplug
