// SPDX-License-Identifier: MIT
// The command line of memplugctl, and what exceptions mean for its exit status. Nothing else.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <new>
#include <sstream>

#include "machine/surroundings.hpp"
#include "memplug/device_file.hpp"
#include "memplug/failure.hpp"
#include "report/report.hpp"
#include "terminal/interrupt.hpp"
#include "terminal/memory_reserve.hpp"
#include "terminal/standard_streams.hpp"
#include "verbs/doctor.hpp"
#include "verbs/explain.hpp"
#include "verbs/hold.hpp"
#include "verbs/list.hpp"
#include "verbs/map.hpp"
#include "verbs/metrics.hpp"
#include "verbs/plug.hpp"
#include "verbs/quarantine.hpp"
#include "verbs/scan.hpp"
#include "verbs/status.hpp"
#include "verbs/target.hpp"
#include "verbs/test.hpp"
#include "verbs/unplug.hpp"
#include "verbs/watch.hpp"

namespace memplug {
namespace {

constexpr const char* request_footer =
    "The options of 'memplugctl --help' go with every verb.\n"
    "Exit status: 0 all of it done, 64 part of it, 1 none or failed, 2 usage.";
// Of verbs that change nothing.
constexpr const char* looking_footer =
    "The options of 'memplugctl --help' go with every verb.\n"
    "Exit status: 0 done, 1 failed, 2 usage.";

// A signal never ends them between two of their phases: what they have done by then is reported.
constexpr std::array<std::string_view, 6> changing_verbs{"unplug", "plug",       "hold",
                                                         "test",   "quarantine", "target"};

constexpr const char* command_needs_dashes =
    "; a command stands behind '--', such as in: memplugctl hold 64M -- memtester ...";

// Whatever fails, this can be said.
constexpr std::string_view no_memory = "memplugctl: there is no memory to go on with\n";

// Of a verb that has no memory to end as it should.
ExitStatus status_without_memory = ExitStatus::Failure;

// The library's, which says what was thrown.
std::terminate_handler usual_terminate = std::get_terminate();

// Where there is no memory to destroy a json value, for one, nobody catches that.
[[noreturn]] void end_without_memory() {
  if (const std::exception_ptr error = std::current_exception()) {
    try {
      std::rethrow_exception(error);
    } catch (const std::bad_alloc&) {
      [[maybe_unused]] const ssize_t written =
          ::write(STDERR_FILENO, no_memory.data(), no_memory.size());
      ::_exit(static_cast<int>(status_without_memory));
    } catch (...) {
      // Some other fault.
    }
  }
  usual_terminate();
  std::abort();
}

using Words = std::vector<std::string>;

// Where what is ours ends. Behind it stands another command, of hold, or words that are no options.
Words::const_iterator find_dashes(const Words& arguments) {
  return std::find(arguments.begin(), arguments.end(), "--");
}

// When the command line can't be parsed, its errors are still to come in the form asked for.
bool asks_for_json(const Words& arguments) {
  return std::any_of(arguments.begin(), find_dashes(arguments), [](const std::string& argument) {
    const bool short_flags = argument.size() > 1 && argument[0] == '-' && argument[1] != '-';
    return argument == "--json" ||
           (short_flags && argument.find_first_not_of("Jbqv", 1) == std::string::npos &&
            argument.find('J') != std::string::npos);
  });
}

class Program {
 public:
  Program()
      : output_{{}, data_, std::cerr, stderr_takes_progress(), [this] { flush(); }, stderr_width} {
    // What could not be noted is not to get lost without a word.
    data_.exceptions(std::ios_base::badbit);
    app_.set_version_flag("--version", "memplugctl " MEMPLUG_VERSION);
    app_.set_help_flag("-h,--help", "Print this help and exit");
    app_.add_flag("-J,--json", output_.style.json, "Print one JSON object");
    app_.add_flag("-b,--bytes", output_.style.bytes, "Print sizes as plain bytes");
    app_.add_flag("-q,--quiet", output_.style.quiet, "No headings, explanations or progress");
    app_.add_flag("-v,--verbose", output_.style.verbose, "More detail");
    app_.add_option("--device", device_path_, "The device node")
        ->type_name("PATH")
        ->capture_default_str();
    app_.footer(request_footer);
    app_.get_formatter()->column_width(26);
    app_.require_subcommand(0, 1);
    app_.fallthrough();
    add(setup_status(app_, status_), run_status, status_);
    add(setup_list(app_, list_), run_list, list_);
    add(setup_unplug(app_, unplug_), run_unplug, unplug_, surroundings_);
    add(setup_plug(app_, plug_), run_plug, plug_, surroundings_);
    add(setup_hold(app_, hold_), run_hold, hold_, surroundings_);
    add(setup_test(app_, test_), run_test, test_, surroundings_);
    add(setup_quarantine(app_, quarantine_), run_quarantine, quarantine_);
    add(setup_target(app_, target_), run_target, target_, surroundings_);
    add(setup_scan(app_, scan_), run_scan, scan_, surroundings_);
    add(setup_explain(app_, explain_), run_explain, explain_, page_facts_);
    add(setup_map(app_, map_), run_map, map_, canvas_);
    add(setup_watch(app_, watch_), run_watch, watch_);
    add(setup_metrics(app_, metrics_), run_metrics, metrics_);
    add(setup_doctor(app_, doctor_), run_doctor, doctor_, machine_);
    for (const char* verb : {"status", "list", "scan", "explain", "map", "watch"}) {
      app_.get_subcommand(verb)->footer(looking_footer);
    }
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program() = default;

  ExitStatus run(const Words& arguments) {
    ExitStatus status = ExitStatus::Failure;
    try {
      status = parse_and_run(arguments);
    } catch (const UsageError& error) {
      status = failed(ExitStatus::Usage);
      tell(std::nullopt, error.what(), "'memplugctl " + help_of_verb() + "' tells the usage");
    } catch (const Failure& error) {
      status = failed(ExitStatus::Failure);
      tell(error.code().value(), error.what(), error.next_step());
    } catch (const std::system_error& error) {
      status = failed(ExitStatus::Failure);
      tell(error.code().value(), error.what(), "");
    } catch (const std::bad_alloc&) {
      status = failed(ExitStatus::Failure);
      tell_of_no_memory();
    }
    try {
      flush();
    } catch (const Failure& error) {
      say(error.what());
      return failed(ExitStatus::Failure);
    } catch (const std::bad_alloc&) {
      std::cerr << no_memory;
      return failed(ExitStatus::Failure);
    }
    return status;
  }

 private:
  template <typename Options>
  void add(CLI::App* verb, ExitStatus (*run_verb)(const Options&, const OpenDevice&, Output&),
           const Options& options) {
    verbs_.emplace_back(verb, [this, run_verb, &options](const OpenDevice& open) {
      return run_verb(options, open, output_);
    });
  }

  // A verb that needs one more thing of the machine; tests give it one of their own.
  template <typename Options, typename Thing>
  void add(CLI::App* verb,
           ExitStatus (*run_verb)(const Options&, const OpenDevice&, const Thing&, Output&),
           const Options& options, const Thing& thing) {
    verbs_.emplace_back(verb, [this, run_verb, &options, &thing](const OpenDevice& open) {
      return run_verb(options, open, thing, output_);
    });
  }

  // CLI11 wants them last to first.
  void parse(Words words) {
    std::reverse(words.begin(), words.end());
    app_.parse(std::move(words));
  }

  // The command of hold must not pass through CLI11, which would take [a,b] for two words.
  void parse_all(const Words& arguments) {
    const auto dashes = find_dashes(arguments);
    parse({arguments.begin(), dashes});
    if (dashes == arguments.end()) {
      return;
    }
    if (app_.got_subcommand("hold")) {
      hold_.command.assign(dashes + 1, arguments.end());
    } else {
      parse(arguments);
    }
  }

  ExitStatus parse_and_run(const Words& arguments) {
    output_.style.json = asks_for_json(arguments);
    try {
      parse_all(arguments);
    } catch (const CLI::Success& asked_to_print) {
      app_.exit(asked_to_print, data_, std::cerr);
      return ExitStatus::Success;
    } catch (const CLI::ParseError& error) {
      note_verb();
      const bool lacks_dashes = find_dashes(arguments) == arguments.end();
      throw UsageError(error.what() + std::string(verb_name_ == "hold" && lacks_dashes
                                                      ? command_needs_dashes
                                                      : ""));
    }
    const OpenDevice open = [this](Access access) { return open_device(device_path_, access); };
    note_verb();
    for (const auto& [verb, run_verb] : verbs_) {
      if (verb->parsed()) {
        if (std::ranges::find(changing_verbs, verb_name_) != changing_verbs.end()) {
          guard_.emplace();
        }
        return run_verb(open);
      }
    }
    throw UsageError("a verb is needed: " + verb_names());
  }

  // 1 and 2 may be the command's that hold has run.
  [[nodiscard]] ExitStatus failed(ExitStatus usual) const {
    return verb_name_ == "hold" ? hold_failed : usual;
  }

  // A signal that comes while stdout takes nothing ends the wait for it.
  void flush() {
    const int signals = InterruptGuard::count();
    write_stdout(data_.view(), [signals] { return InterruptGuard::count() != signals; });
    data_.str("");
  }

  [[nodiscard]] std::string verb_names() const {
    std::string names;
    for (std::size_t i = 0; i < verbs_.size(); ++i) {
      if (i > 0) {
        names += i + 1 < verbs_.size() ? ", " : " or ";
      }
      names += verbs_[i].first->get_name();
    }
    return names;
  }

  void note_verb() {
    const auto verbs = app_.get_subcommands();
    verb_name_ = verbs.empty() ? "" : verbs.front()->get_name();
    status_without_memory = failed(ExitStatus::Failure);
  }

  [[nodiscard]] std::string help_of_verb() const {
    return verb_name_.empty() ? "--help" : verb_name_ + " --help";
  }

  void say(const std::string& text) const {
    std::cerr << "memplugctl: " << (verb_name_.empty() ? "" : verb_name_ + ": ") << text << "\n";
  }

  void tell(std::optional<int> error_number, const std::string& message, const std::string& step) {
    data_.str("");
    if (output_.style.json) {
      // Who reads watch reads a line at a time.
      data_ << (verb_name_ == "watch" ? error_json_line(error_number, message)
                                      : error_json(error_number, message));
    }
    say(message);
    if (!step.empty()) {
      say(step);
    }
  }

  // In fewer words where there is no memory for that either.
  void tell_of_no_memory() {
    try {
      tell(ENOMEM, "there is no memory to go on with",
           "'memplugctl status' shows what is unplugged now");
    } catch (const std::bad_alloc&) {
      data_.str("");
      std::cerr << no_memory;
    }
  }

  CLI::App app_{"Take memory out of a running Linux and put it back.", "memplugctl"};
  std::ostringstream data_;
  Output output_;
  std::string device_path_ = default_device;
  const Surroundings surroundings_{""};
  const PageFacts page_facts_{"/proc/kpageflags", "/sys/kernel/debug/page_owner"};
  const Machine machine_{""};
  std::string verb_name_;
  // Lives until stdout has it all.
  std::optional<InterruptGuard> guard_;
  StatusOptions status_;
  ListOptions list_;
  UnplugOptions unplug_;
  PlugOptions plug_;
  QuarantineOptions quarantine_;
  HoldOptions hold_;
  TestOptions test_{&device_path_};
  TargetOptions target_;
  ScanOptions scan_;
  ExplainOptions explain_;
  MapOptions map_;
  WatchOptions watch_;
  MetricsOptions metrics_;
  DoctorOptions doctor_;
  const Canvas canvas_{stdout_width(), stdout_takes_colour()};
  std::vector<std::pair<CLI::App*, std::function<ExitStatus(const OpenDevice&)>>> verbs_;
};

}  // namespace
}  // namespace memplug

int main(int argc, char** argv) {
  memplug::prepare_standard_streams();
  std::set_terminate(memplug::end_without_memory);
  try {
    memplug::keep_memory_reserve();
    memplug::Program program;
    return static_cast<int>(program.run({argv + 1, argv + std::max(argc, 1)}));
  } catch (const std::exception& error) {
    std::cerr << "memplugctl: " << error.what() << "\n";
    return static_cast<int>(memplug::ExitStatus::Failure);
  }
}
