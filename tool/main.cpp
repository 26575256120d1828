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
#include <memory>
#include <new>
#include <sstream>

#include "machine/surroundings.hpp"
#include "memplug/device_file.hpp"
#include "memplug/failure.hpp"
#include "report/report.hpp"
#include "terminal/interrupt.hpp"
#include "terminal/memory_reserve.hpp"
#include "terminal/standard_streams.hpp"
#include "verbs/help_formatter.hpp"
#include "verbs/verbs.hpp"
#include "words/similar.hpp"

namespace memplug {
namespace {

constexpr const char* request_footer =
    "The options of 'memplugctl --help' go with every verb.\n"
    "Exit status: 0 all of it done, 64 part of it, 1 none or failed, 2 usage.";
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

// That go with every verb, short ones also together, and have no value.
bool is_flag(const std::string& word) {
  constexpr std::array<std::string_view, 4> flags{"--json", "--bytes", "--quiet", "--verbose"};
  return std::ranges::find(flags, word) != flags.end() ||
         (word.size() > 1 && word[1] != '-' &&
          word.find_first_not_of("Jbqv", 1) == std::string::npos);
}

class Program {
 public:
  Program()
      : output_{{},
                data_,
                std::cerr,
                stderr_takes_progress(),
                [this] { flush(); },
                [this] { show(); },
                stderr_width} {
    // What could not be noted is not to get lost without a word.
    data_.exceptions(std::ios_base::badbit);
    app_.formatter(std::make_shared<HelpFormatter>());
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
    for (const Verb& verb : verbs_) {
      parsers_.push_back(verb.setup(app_));
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
    if (const Verb* verb = parsed_verb(); verb != nullptr && verb->take_command) {
      verb->take_command({dashes + 1, arguments.end()});
    } else {
      parse(arguments);
    }
  }

  [[nodiscard]] std::vector<std::string> known_verbs() const {
    std::vector<std::string> names;
    for (const CLI::App* parser : parsers_) {
      names.push_back(parser->get_name());
    }
    return names;
  }

  // Where the verb's word stands: behind options that go with every verb, and --device's value. The
  // end, too, where something else stands there: that is CLI11's to judge.
  static Words::const_iterator find_verb(const Words& arguments) {
    const auto end = find_dashes(arguments);
    auto word = arguments.begin();
    while (word != end && word->starts_with('-')) {
      if (*word == "--device" && word + 1 != end) {
        ++word;
      } else if (!is_flag(*word) && !word->starts_with("--device=")) {
        return end;
      }
      ++word;
    }
    return word;
  }

  // CLI11 would call it an argument that was not expected.
  void refuse_unknown_verb(const Words& arguments) const {
    const auto word = find_verb(arguments);
    std::vector<std::string> known = known_verbs();
    if (word == find_dashes(arguments) || std::ranges::find(known, *word) != known.end()) {
      return;
    }
    known.emplace_back("help");
    const auto meant = most_similar(*word, known);
    throw UsageError("unknown verb '" + *word + "'; " +
                     (meant ? "did you mean '" + *meant + "'?" : "there are " + verb_names()));
  }

  // "help VERB" is "VERB --help".
  static Words without_help_verb(Words arguments) {
    const auto word = find_verb(arguments);
    if (word != find_dashes(arguments) && *word == "help") {
      const auto next = arguments.erase(word);
      if (next != find_dashes(arguments) && *next == "help") {
        arguments.erase(next);
      }
      arguments.insert(find_dashes(arguments), "--help");
    }
    return arguments;
  }

  ExitStatus parse_and_run(const Words& given) {
    const Words arguments = without_help_verb(given);
    output_.style.json = asks_for_json(arguments);
    refuse_unknown_verb(arguments);
    try {
      parse_all(arguments);
    } catch (const CLI::Success& asked_to_print) {
      app_.exit(asked_to_print, data_, std::cerr);
      return ExitStatus::Success;
    } catch (const CLI::ParseError& error) {
      note_verb();
      const bool lacks_dashes = find_dashes(arguments) == arguments.end();
      throw UsageError(error.what() +
                       std::string(verb_ != nullptr && verb_->take_command && lacks_dashes
                                       ? command_needs_dashes
                                       : ""));
    }
    note_verb();
    if (verb_ != nullptr) {
      if (verb_->changes_memory) {
        guard_.emplace();
      }
      return verb_->run(environment());
    }
    throw UsageError("a verb is needed: " + verb_names());
  }

  [[nodiscard]] Environment environment() {
    return {[this](Access access) { return open_device(device_path_, access); },
            device_path_,
            surroundings_,
            page_facts_,
            machine_,
            canvas_,
            output_};
  }

  [[nodiscard]] ExitStatus failed(ExitStatus usual) const {
    return verb_ != nullptr ? verb_->failure.value_or(usual) : usual;
  }

  // A signal that comes while stdout takes nothing ends the wait for it, and no other is begun.
  void flush() {
    if (unsent_) {
      std::rethrow_exception(unsent_);
    }
    const int signals = InterruptGuard::count();
    write_stdout(data_.view(), [signals] { return InterruptGuard::count() != signals; });
    data_.str("");
  }

  void show() {
    try {
      flush();
    } catch (const std::exception&) {
      unsent_ = std::current_exception();
    }
  }

  [[nodiscard]] std::string verb_names() const {
    const std::vector<std::string> known = known_verbs();
    std::string names;
    for (std::size_t i = 0; i < known.size(); ++i) {
      if (i > 0) {
        names += i + 1 < known.size() ? ", " : " or ";
      }
      names += known[i];
    }
    return names;
  }

  // The one whose word was read, also where something behind it was not understood.
  [[nodiscard]] const Verb* parsed_verb() const {
    const auto parsed = app_.get_subcommands();
    if (parsed.empty()) {
      return nullptr;
    }
    const auto place = std::ranges::find(parsers_, parsed.front());
    return place == parsers_.end() ? nullptr
                                   : &verbs_[static_cast<std::size_t>(place - parsers_.begin())];
  }

  void note_verb() {
    verb_ = parsed_verb();
    const auto parsed = app_.get_subcommands();
    verb_name_ = parsed.empty() ? "" : parsed.front()->get_name();
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
      data_ << (verb_ != nullptr && verb_->json_lines ? error_json_line(error_number, message)
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
  std::exception_ptr unsent_;  // why a result did not get through, which is told at the end
  Output output_;
  std::string device_path_ = default_device;
  const Surroundings surroundings_{""};
  const PageFacts page_facts_{"/proc/kpageflags", "/sys/kernel/debug/page_owner"};
  const Machine machine_{""};
  std::string verb_name_;
  // Lives until stdout has it all.
  std::optional<InterruptGuard> guard_;
  const Canvas canvas_{stdout_width(), stdout_takes_colour()};
  const std::vector<Verb> verbs_ = all_verbs();
  // Each verb's, in the same order.
  std::vector<CLI::App*> parsers_;
  const Verb* verb_ = nullptr;  // that was asked for
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
