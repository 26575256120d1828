// SPDX-License-Identifier: MIT
// memplugctl quarantine add|remove|list|apply|export
//
// The module knows what is kept out now; the file, what is to be kept out after the next boot too.
#include "cmd_quarantine.hpp"

#include <CLI/CLI.hpp>

#include "bad_memory.hpp"
#include "bad_memory_formats.hpp"
#include "memplug.h"
#include "option_text.hpp"
#include "quarantine.hpp"
#include "report_quarantine.hpp"
#include "shortfall.hpp"

namespace memplug {
namespace {

constexpr std::chrono::seconds default_timeout{10};
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

ExitStatus status_of(const QuarantineOutcome& outcome) {
  const Bytes out = total_unplugged(outcome.ranges);
  if (out == total(outcome.subblocks)) {
    return ExitStatus::Success;
  }
  return out.value != 0 ? ExitStatus::Partial : ExitStatus::Failure;
}

void tell(const QuarantineReport& report, Output& output) {
  output.data << (output.style.json ? quarantine_json(report)
                                    : quarantine_text(report, output.style));
  if (!output.style.quiet) {
    output.prose << explain_quarantine(report, output.style);
  }
}

ExitStatus run_add(const QuarantineOptions& options, const OpenDevice& open_device,
                   Output& output) {
  const Range pages = parse_bad_range(options, "add");
  const auto timeout = timeout_of(options);
  auto [device, info] = open_fit(open_device, Access::Write);
  const QuarantineFile file(options.file);
  // What can't be added to is better known before anything is done.
  static_cast<void>(options.no_save ? std::vector<Range>{} : file.read_if_there());
  QuarantineReport report{"quarantine_add", {pages}, {}, std::nullopt};
  report.outcome = carry_out([&, &device = device, &info = info] {
    return begin_quarantine(device, to_subblocks({pages}, info.subblock), timeout);
  });
  // What is not managed would be refused at every boot.
  if (!options.no_save && !report.outcome.ranges.empty()) {
    file.add({pages});
    report.file = file.path();
  }
  tell(report, output);
  return status_of(report.outcome);
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
  auto [device, info] = open_fit(open_device, Access::Write);
  const QuarantineFile file(options.file);
  QuarantineReport report{"quarantine_remove", {}, {}, std::nullopt};
  const std::vector<Range> ending = subblocks_to_end(options, info, pages, device);
  report.asked = pages ? std::vector<Range>{*pages} : ending;
  // The file first: if the machine stops in between, the memory is not kept out by what is gone.
  if (!options.no_save) {
    for (const Range& range : pages ? std::vector<Range>{*pages} : file.read_if_there()) {
      file.remove(range);
    }
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
  const std::vector<Range> pages = file.read();
  auto [device, info] = open_fit(open_device, Access::Write);
  QuarantineReport report{"quarantine_apply", pages, {}, file.path()};
  report.outcome = carry_out([&, &device = device, &info = info] {
    return begin_quarantine(device, to_subblocks(pages, info.subblock), timeout);
  });
  tell(report, output);
  return status_of(report.outcome);
}

ExitStatus run_list(const QuarantineOptions& options, const OpenDevice& open_device,
                    Output& output) {
  auto [device, info] = open_fit(open_device, Access::Read);
  const std::vector<HeldRange> ranges = device.quarantined().ranges;
  const std::vector<Range> pages = QuarantineFile(options.file).read_if_there();
  output.data << (output.style.json
                      ? quarantine_list_json(ranges, options.file, pages)
                      : quarantine_list_text(ranges, options.file, pages, output.style));
  return ExitStatus::Success;
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
  } else {
    text = print_bad_memory(pages);
  }
  output.data << (output.style.json ? quarantine_export_json(options.format, text, pages) : text);
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
           "wait no longer than this for it to be out (500ms, 30s; 10s)");
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
  add_text(*remove, "range", "RANGE", options.range, "what is not bad any more");
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
  apply->add_option("file", options.file, "ranges, badram= and memmap= lines")
      ->type_name("FILE")
      ->capture_default_str();
  add_wait(*apply, options);
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
                          Output& output) {
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
    case QuarantineVerb::None:
      break;
  }
  throw UsageError("one of add, remove, list, apply and export is needed");
}

}  // namespace memplug
