// SPDX-License-Identifier: MIT
// memplugctl quarantine add|remove|list|apply|follow|export
//
// The module knows what is kept out now; the file, what is to be kept out after the next boot too.
#include "verbs/quarantine.hpp"

#include <CLI/CLI.hpp>
#include <cerrno>
#include <fstream>
#include <memory>

#include "machine/text_file.hpp"
#include "memplug.h"
#include "quarantine/bad_memory.hpp"
#include "quarantine/bad_memory_formats.hpp"
#include "quarantine/error_log.hpp"
#include "quarantine/log_entry.hpp"
#include "quarantine/quarantine.hpp"
#include "report/quarantine.hpp"
#include "request/refusals.hpp"
#include "terminal/input_lines.hpp"
#include "verbs/option_text.hpp"
#include "words/prose.hpp"

namespace memplug {
namespace {

constexpr std::chrono::seconds default_timeout{10};
// The next error may be of another page.
constexpr std::chrono::seconds default_follow_timeout{1};
constexpr std::string_view lacks_quarantine = "can't keep memory in quarantine";

// A RANGE, in whole pages.
Range parse_bad_range(const QuarantineOptions& options, const std::string& verb) {
  if (!options.range) {
    throw UsageError("a RANGE is needed, such as: memplugctl quarantine " + verb +
                     " 0x12345000+4K");
  }
  return round_outward(parse_range(*options.range), bad_memory_page);
}

std::chrono::nanoseconds timeout_of(const QuarantineOptions& options) {
  return parse_timeout(options.timeout).value_or(default_timeout);
}

// A device that can, and what it is.
std::pair<Device, Info> open_fit(const OpenDevice& open_device, Access access) {
  Device device = open_device(access);
  Info info = device.info();
  require_feature(info, MEMPLUG_FEATURE_QUARANTINE, lacks_quarantine);
  return {std::move(device), std::move(info)};
}

template <typename Work>
QuarantineOutcome carry_out(Work work) {
  try {
    return work();
  } catch (const Failure&) {
    throw;
  } catch (const std::system_error& error) {
    throw Failure(error.code().value(), error.what(), step_after_refusal(error.code().value()));
  }
}

// What is marked and in use is taken as soon as it can be: not all of it yet, and no failure.
ExitStatus status_of(const QuarantineReport& report) {
  const QuarantineOutcome& outcome = report.outcome;
  if (total_unplugged(outcome.ranges) == total(outcome.subblocks) && !report.why_not_saved) {
    return ExitStatus::Success;
  }
  return outcome.ranges.empty() ? ExitStatus::Failure : ExitStatus::Partial;
}

void tell(const QuarantineReport& report, Output& output) {
  output.give(output.style.json ? quarantine_json(report) : quarantine_text(report, output.style));
  output.explain([&] { return explain_quarantine(report, output.style); });
}

// Writes what add keeps out into the file. That it can't be written does not keep memory from being
// taken out; it is told then. A file that can't be understood does, so that nothing in it is lost.
class Saving {
 public:
  explicit Saving(const QuarantineOptions& options)
      : file_(options.file), is_wanted_(!options.no_save) {
    if (is_wanted_) {
      static_cast<void>(file_.read_if_there());
    }
  }

  // Until save().
  void lock() {
    if (!is_wanted_) {
      return;
    }
    try {
      lock_.emplace(file_.path());
    } catch (const Failure& failure) {
      // Somebody else writes it: to be asked for again.
      if (failure.code().value() == EBUSY || failure.code().value() == EINTR) {
        throw;
      }
      failure_ = failure.what();
    }
  }

  void save(const std::vector<Range>& pages, QuarantineReport& report) {
    if (!is_wanted_) {
      return;
    }
    try {
      if (!failure_) {
        file_.add(pages);
        report.file = file_.path();
      }
    } catch (const std::runtime_error& error) {
      failure_ = error.what();
    }
    lock_.reset();
    report.why_not_saved = failure_;
  }

 private:
  const QuarantineFile file_;
  bool is_wanted_;
  std::optional<FileLock> lock_;
  std::optional<std::string> failure_;
};

QuarantineReport put_out(const Range& pages, std::chrono::nanoseconds timeout,
                         const QuarantineOptions& options, const OpenDevice& open_device) {
  Saving saving(options);
  auto [device, info] = open_fit(open_device, Access::Write);
  QuarantineReport report{"quarantine_add", {pages}, {}, std::nullopt, std::nullopt};
  saving.lock();
  report.outcome = carry_out([&, &device = device, &info = info] {
    return begin_quarantine(device, to_subblocks({pages}, info.subblock));
  });
  // If nothing of it is managed it would be refused at every boot. If some is, all of it is saved:
  // bad memory stays bad, and the rest may be managed one day.
  if (!report.outcome.ranges.empty()) {
    saving.save({pages}, report);
  }
  await_quarantine(device, timeout, report.outcome);
  return report;
}

ExitStatus run_add(const QuarantineOptions& options, const OpenDevice& open_device,
                   Output& output) {
  const Range pages = parse_bad_range(options, "add");
  const QuarantineReport report = put_out(pages, timeout_of(options), options, open_device);
  tell(report, output);
  return status_of(report);
}

// What is done about pages with too many errors, as a log tells of them.
class Follower {
 public:
  Follower(const QuarantineOptions& options, const OpenDevice& open_device, Output& output)
      : options_(options),
        open_device_(open_device),
        output_(output),
        timeout_(parse_timeout(options.timeout).value_or(default_follow_timeout)),
        threshold_(parse_option("--threshold", options.threshold, parse_count)
                       .value_or(default_threshold)),
        margin_(parse_option("--margin", options.margin, parse_margin).value_or(bad_memory_page)),
        counts_(threshold_) {
    if (options.dry_run && output.style.json) {
      throw UsageError("--dry-run prints ranges, and goes with no --json");
    }
  }

  void take(const std::string& line) {
    const auto now =
        std::chrono::time_point_cast<LogEntry::Time::duration>(std::chrono::system_clock::now());
    const auto entry = read_log_line(line, now);
    const auto error = entry ? log_.take(*entry) : std::nullopt;
    if (!error || !counts_.take(*error, entry->when)) {
      return;
    }
    say(print_address(error->address) + ": " +
        (error->corrected ? std::to_string(threshold_) + " corrected errors or more within a day"
                          : "an error that was not corrected"));
    put_out_around(error->address);
  }

 private:
  // As mcelog has it.
  static constexpr std::uint64_t default_threshold = 10;

  // Of whole pages, so that it can be rounded to.
  static Bytes parse_margin(const std::string& text) {
    const Bytes margin = parse_size(text);
    if (margin == Bytes{} || margin % bad_memory_page != Bytes{}) {
      throw UsageError(print_size_argument(margin) + " is not a multiple of a page, " +
                       print_size(bad_memory_page));
    }
    return margin;
  }

  // Who reads objects from a log that does not end reads a line at a time.
  void tell_in_a_line(const QuarantineReport& report) const {
    if (!output_.style.json) {
      tell(report, output_);
      return;
    }
    output_.give(quarantine_json_line(report));
    output_.explain([&] { return explain_quarantine(report, output_.style); });
  }

  void say(const std::string& text) const {
    output_.prose << prose_line("quarantine", text) << std::flush;
  }

  // What can't be done is told, and is no reason to follow no more: the page's next error has it
  // tried again. What is in use is out as soon as it can be.
  void put_out_around(PhysAddr address) {
    try {
      const Range pages = round_outward({address, Bytes{1}}, margin_);
      if (options_.dry_run) {
        output_.data << print_range(pages) << "\n";
        counts_.settle(pages);
      } else {
        const QuarantineReport report = put_out(pages, timeout_, options_, open_device_);
        if (!report.outcome.ranges.empty()) {
          counts_.settle(pages);
        }
        tell_in_a_line(report);
      }
      output_.flush();
    } catch (const std::system_error& error) {
      say(error.what());
    }
  }

  const QuarantineOptions& options_;
  const OpenDevice& open_device_;
  Output& output_;
  std::chrono::nanoseconds timeout_;
  std::uint64_t threshold_;
  Bytes margin_;
  ErrorLog log_;
  ErrorCounts counts_;
};

ExitStatus run_follow(const QuarantineOptions& options, const OpenDevice& open_device,
                      const NextLine& next_line, Output& output) {
  Follower follower(options, open_device, output);
  while (const auto line = next_line()) {
    follower.take(*line);
  }
  return ExitStatus::Success;
}

// The subblocks of what is named that nothing else in the file needs.
std::vector<Range> subblocks_to_end(const QuarantineOptions& options, const Info& info,
                                    const std::optional<Range>& pages, Device& device) {
  std::vector<Range> ending;
  if (!pages) {
    for (const HeldRange& held : device.quarantined().ranges) {
      ending.push_back({held.start.value_or(PhysAddr{}), held.size});
    }
    return ending;
  }
  ending = to_subblocks({*pages}, info.subblock);
  if (!options.no_save) {
    const std::vector<Range> left = subtract(QuarantineFile(options.file).read_if_there(), *pages);
    for (const Range& needed : to_subblocks(left, info.subblock)) {
      ending = subtract(ending, needed);
    }
  }
  return ending;
}

ExitStatus run_remove(const QuarantineOptions& options, const OpenDevice& open_device,
                      Output& output) {
  if (options.all == options.range.has_value()) {
    throw UsageError("either a RANGE or --all says what is to be removed");
  }
  std::optional<Range> pages;
  if (options.range) {
    pages = parse_bad_range(options, "remove");
  }
  const QuarantineFile file(options.file);
  const bool is_file_meant = !options.no_save && is_file_there(options.file);
  if (is_file_meant) {
    static_cast<void>(file.read_if_there());
  }
  auto [device, info] = open_fit(open_device, Access::Write);
  std::optional<FileLock> lock;
  if (is_file_meant) {
    lock.emplace(options.file);
  }
  QuarantineReport report{"quarantine_remove", {}, {}, std::nullopt, std::nullopt};
  const std::vector<Range> ending = subblocks_to_end(options, info, pages, device);
  report.asked = pages ? std::vector<Range>{*pages} : ending;
  // The file first: if the machine stops in between, the memory is not kept out by what is gone.
  if (is_file_meant && file.remove(pages ? std::vector<Range>{*pages} : file.read_if_there())) {
    report.file = file.path();
  }
  report.outcome = carry_out([&, &device = device] { return end_quarantine(device, ending); });
  tell(report, output);
  return report.outcome.ranges.empty() ? ExitStatus::Success : ExitStatus::Failure;
}

ExitStatus run_apply(const QuarantineOptions& options, const OpenDevice& open_device,
                     Output& output) {
  const auto timeout = timeout_of(options);
  const QuarantineFile file(options.file);
  std::optional<FileLock> lock;
  lock.emplace(options.file, FileLock::For::Reading);
  const std::vector<Range> pages = file.read();
  auto [device, info] = open_fit(open_device, Access::Write);
  QuarantineReport report{"quarantine_apply", pages, {}, file.path(), std::nullopt};
  report.outcome = carry_out([&, &device = device, &info = info] {
    return begin_quarantine(device, to_subblocks(pages, info.subblock));
  });
  lock.reset();
  await_quarantine(device, timeout, report.outcome);
  tell(report, output);
  return status_of(report);
}

ExitStatus run_list(const QuarantineOptions& options, const OpenDevice& open_device,
                    Output& output) {
  const std::vector<Range> pages = QuarantineFile(options.file).read_if_there();
  auto [device, info] = open_fit(open_device, Access::Read);
  const std::vector<HeldRange> ranges = device.quarantined().ranges;
  output.give(output.style.json ? quarantine_list_json(ranges, options.file, pages)
                                : quarantine_list_text(ranges, options.file, pages, output.style));
  return ExitStatus::Success;
}

// The kernel says nothing of what it cuts off.
void warn_if_too_long(std::string_view options, std::ostream& prose) {
  options = options.substr(0, options.find('\n'));
  std::string booted;
  std::getline(std::ifstream("/proc/cmdline"), booted);
  const std::size_t length = command_line_length(options, booted);
  if (length > max_command_line) {
    prose << prose_line(
        "quarantine",
        "these are " + std::to_string(options.size()) +
            " characters, and with the other options of this machine's kernel " +
            std::to_string(length - max_command_line) + " too many: on x86 Linux takes " +
            std::to_string(max_command_line) +
            " of its command line and cuts off the rest; --format grub has no such limit");
  }
}

ExitStatus run_export(const QuarantineOptions& options, Output& output) {
  const std::vector<Range> pages = QuarantineFile(options.file).read();
  std::string text;
  if (options.format == "badram") {
    text = print_badram(pages);
  } else if (options.format == "grub") {
    text = print_grub(pages);
  } else if (options.format == "memmap") {
    text = print_memmap(pages);
    warn_if_too_long(text, output.prose);
  } else {
    text = print_bad_memory(pages);
  }
  output.give(output.style.json ? quarantine_export_json(options.format, text, pages) : text);
  return ExitStatus::Success;
}

CLI::App* add_verb(CLI::App& app, QuarantineOptions& options, QuarantineVerb verb,
                   const std::string& name, const std::string& description) {
  CLI::App* added = app.add_subcommand(name, description);
  added->parse_complete_callback([&options, verb] { options.verb = verb; });
  return added;
}

void add_file(CLI::App& app, QuarantineOptions& options) {
  app.add_option("--file", options.file, "the file that remembers bad memory")
      ->type_name("PATH")
      ->capture_default_str();
}

void add_wait(CLI::App& app, QuarantineOptions& options) {
  add_text(app, "--timeout", "T", options.timeout,
           "wait no longer than this for it to be out (500ms, 30s; 10s, with follow 1s)");
}

}  // namespace

CLI::App* setup_quarantine(CLI::App& app, QuarantineOptions& options) {
  CLI::App* verb = app.add_subcommand("quarantine", "Keep bad memory out of use");
  verb->require_subcommand(0, 1);
  CLI::App* add = add_verb(*verb, options, QuarantineVerb::Add, "add", "Keep memory out as bad");
  add_text(*add, "range", "RANGE", options.range,
           "bad memory (0xFIRST-0xLAST inclusive, 0xFIRST+SIZE); its whole subblocks go out");
  add_wait(*add, options);
  CLI::App* remove = add_verb(*verb, options, QuarantineVerb::Remove, "remove",
                              "Give memory back that was kept out");
  add_text(*remove, "range", "RANGE|--all", options.range, "what is not bad any more");
  remove->add_flag("--all", options.all, "all that is in quarantine, and in the file");
  for (CLI::App* changing : {add, remove}) {
    add_file(*changing, options);
    changing->add_flag("--no-save", options.no_save, "only until the next boot: leave the file");
  }
  add_file(*add_verb(*verb, options, QuarantineVerb::List, "list",
                     "Show what is kept out, and what the file has"),
           options);
  CLI::App* apply = add_verb(*verb, options, QuarantineVerb::Apply, "apply",
                             "Keep out what a file has, as after a boot");
  apply->add_option("file", options.file, "ranges, badram and memmap= lines")
      ->type_name("[FILE]")
      ->capture_default_str();
  add_wait(*apply, options);
  CLI::App* follow = add_verb(*verb, options, QuarantineVerb::Follow, "follow",
                              "Keep out what a log on stdin has too many errors of");
  add_text(*follow, "--threshold", "N", options.threshold,
           "so many corrected errors of a page within a day are too many (10)");
  add_text(*follow, "--margin", "SIZE", options.margin,
           "keep out so much around a page, from a multiple of it (4K; 64K: a row of a DIMM)");
  follow->add_flag("--dry-run", options.dry_run, "only print what would be kept out");
  add_file(*follow, options);
  follow->add_flag("--no-save", options.no_save, "only until the next boot: leave the file");
  add_wait(*follow, options);
  CLI::App* print = add_verb(*verb, options, QuarantineVerb::Export, "export",
                             "Print the file's memory for other programs");
  print->add_option("--format", options.format, "ranges, badram, grub or memmap")
      ->type_name("FORMAT")
      ->check(CLI::IsMember({"ranges", "badram", "grub", "memmap"}))
      ->capture_default_str();
  add_file(*print, options);
  return verb;
}

ExitStatus run_quarantine(const QuarantineOptions& options, const OpenDevice& open_device,
                          const NextLine& next_line, Output& output) {
  switch (options.verb) {
    case QuarantineVerb::Add:
      return run_add(options, open_device, output);
    case QuarantineVerb::Remove:
      return run_remove(options, open_device, output);
    case QuarantineVerb::List:
      return run_list(options, open_device, output);
    case QuarantineVerb::Apply:
      return run_apply(options, open_device, output);
    case QuarantineVerb::Export:
      return run_export(options, output);
    case QuarantineVerb::Follow:
      return run_follow(options, open_device, next_line, output);
    case QuarantineVerb::None:
      break;
  }
  throw UsageError("one of add, remove, list, apply, follow and export is needed");
}

Verb quarantine_verb() {
  const auto options = std::make_shared<QuarantineOptions>();
  return {.setup = [options](CLI::App& app) { return setup_quarantine(app, *options); },
          .run =
              [options](const Environment& environment) {
                InputLines lines;
                return run_quarantine(
                    *options, environment.open_device, [&lines] { return lines.next(); },
                    environment.output);
              },
          .changes_memory = true};
}

}  // namespace memplug
