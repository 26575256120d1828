// SPDX-License-Identifier: MIT
// memplugctl test
#include "verbs/test.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <memory>
#include <utility>

#include "look/survey.hpp"
#include "machine/text_file.hpp"
#include "memplug.h"
#include "memplug/failure.hpp"
#include "ramtest/progress.hpp"
#include "ramtest/resume_file.hpp"
#include "report/ramtest_words.hpp"
#include "report/report.hpp"
#include "request/refusals.hpp"
#include "request/request.hpp"
#include "terminal/interrupt.hpp"
#include "verbs/option_text.hpp"

namespace memplug {
namespace {

using Clock = std::chrono::steady_clock;

constexpr Bytes usual_chunk{64ULL << 20U};

struct Order {
  std::optional<Range> range;  // none: all memory
  std::optional<Bytes> chunk;
  std::optional<ResumeFile> resume;
  Memtester memtester;
  bool keep = true;
};

unsigned parse_test(const std::string& text) {
  if (!text.empty() && text.size() <= 3 &&
      text.find_first_not_of("0123456789") == std::string::npos) {
    const auto test = static_cast<unsigned>(std::stoul(text));
    if (test < memtester_tests) {
      return test;
    }
  }
  throw UsageError("'" + text + "' is no test; they are 0 to " +
                   std::to_string(memtester_tests - 1) + ", such as 0,8,12");
}

// Each once, by number.
std::vector<unsigned> parse_tests(const std::string& text) {
  std::vector<unsigned> tests;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    tests.push_back(parse_test(text.substr(begin, end - begin)));
    begin = end + 1;
  }
  std::ranges::sort(tests);
  tests.erase(std::unique(tests.begin(), tests.end()), tests.end());
  return tests;
}

std::string parse_path(const std::string& text) {
  if (text.empty()) {
    throw UsageError("a file's name is needed");
  }
  return text;
}

Range parse_tested_range(const std::string& text) {
  if (!looks_like_range(text)) {
    throw UsageError("'" + text + "' is no RANGE, such as 0x140000000+64M; --all is all memory");
  }
  return parse_range(text);
}

Order to_order(const TestOptions& options) {
  if (options.range && options.all) {
    throw UsageError("'" + *options.range + "' and --all exclude each other");
  }
  if (!options.range && !options.all) {
    throw UsageError("a RANGE or --all is needed, such as 0x140000000+64M");
  }
  Order order;
  if (options.range) {
    order.range = parse_tested_range(*options.range);
  }
  order.chunk = parse_option("--chunk", options.chunk, parse_size);
  if (const auto path = parse_option("--resume", options.resume, parse_path)) {
    order.resume.emplace(*path);
  }
  order.memtester.program =
      parse_option("--memtester", options.memtester, parse_path).value_or("memtester");
  order.memtester.device = options.device_path != nullptr ? *options.device_path : "";
  order.memtester.tests = parse_option("--tests", options.tests, parse_tests);
  order.memtester.loops = parse_option("--loops", options.loops, parse_count).value_or(1);
  order.keep = !options.no_keep;
  return order;
}

void check_module(const Info& info, bool keep) {
  require_feature(info, MEMPLUG_FEATURE_SURVEY, lacks_survey);
  require_feature(info, MEMPLUG_FEATURE_TIED, "can't tie memory to a test");
  require_feature(info, MEMPLUG_FEATURE_MMAP, "can't show memory to memtester");
  if (keep) {
    require_feature(info, MEMPLUG_FEATURE_QUARANTINE, "can't keep bad memory out");
  }
}

void check_against_subblock(const Order& order, Bytes subblock) {
  if (order.range) {
    check_range("range", *order.range, subblock);
  }
  if (order.chunk) {
    if (order.chunk->value == 0) {
      throw UsageError("--chunk 0 takes nothing; the least is one subblock, " +
                       print_size(subblock));
    }
    check_multiple("--chunk", *order.chunk, subblock, subblock);
  }
}

MemoryTestPlan to_plan(const Order& order, const Info& info) {
  MemoryTestPlan plan;
  plan.asked = order.range.value_or(all_memory());
  plan.subblock = info.subblock;
  plan.chunk = order.chunk.value_or(std::max(usual_chunk, info.subblock));
  plan.keep = order.keep;
  plan.memtester = order.memtester;
  plan.max_blocked = info.max_blocked;
  return plan;
}

void check_managed(Range range, const std::vector<Stretch>& survey, const ZoneNames& zones) {
  for (const Stretch& stretch : survey) {
    if (stretch.state == SubblockState::Unmanaged) {
      Request request;
      request.start = range.start;
      request.length = range.size;
      throw unmanaged_failure(request, UnmanagedError(stretch.range, stretch.why), zones);
    }
  }
}

// What is out already, by whomever, is not ours to write to.
void check_plugged(Range range, const MemoryBook& book) {
  const std::vector<UntestedStretch> unplugged = book.unplugged();
  if (!unplugged.empty()) {
    throw Failure(EBUSY,
                  "part of " + print_range(range) +
                      " is unplugged already: " + print_range(unplugged.front().range),
                  "'memplugctl list' tells what is, and who holds it; 'memplugctl plug' gives back "
                  "what nobody holds");
  }
}

// memtester has to start while a chunk is out.
void check_commit_limit(const MemoryTestPlan& plan, const MemoryBook& book,
                        const CommitLimit& commit_limit) {
  const auto most = most_to_unplug(commit_limit, plan.subblock);
  const Bytes chunk = std::min(plan.chunk, book.requested() - book.tested());
  if (most && *most < chunk) {
    throw Failure(ENOSPC,
                  "a chunk of " + print_size(chunk) +
                      " can't be taken out: " + std::string(commit_limit_reason),
                  most->value == 0 ? "end processes, add swap or raise vm.overcommit_ratio"
                                   : "--chunk " + print_size_argument(*most) + " is the most");
  }
}

MemoryBook look(const Order& order, const MemoryTestPlan& plan, Device& device,
                const ZoneNames& zones) {
  const std::vector<Stretch> survey = device.survey(plan.asked);
  if (order.range) {
    check_managed(*order.range, survey, zones);
  }
  MemoryBook book(survey, plan.subblock);
  if (order.resume) {
    book.recall(order.resume->known());
  }
  if (order.range) {
    check_plugged(*order.range, book);
  }
  return book;
}

Failure to_failure(const std::runtime_error& error) {
  if (const auto* failure = dynamic_cast<const Failure*>(&error)) {
    return *failure;
  }
  const auto* system = dynamic_cast<const std::system_error*>(&error);
  const int error_number = system != nullptr ? system->code().value() : EINVAL;
  return {error_number, error.what(), step_after_refusal(error_number)};
}

// How a test ended, beside what is in the book.
struct Ending {
  TestReport::End end = TestReport::End::All;
  MemoryTestNotes notes;
  std::optional<Failure> failure;
};

// What has been found by then is told also when something fails in the middle of it.
Ending run_passes(const MemoryTestPlan& plan, const OpenDevice& open_device,
                  const QuarantineFile& file, std::optional<ResumeFile>& resume, MemoryBook& book,
                  Output& output) {
  const Bytes tested_before = book.tested();
  const auto progress = [&book] {
    return MemoryTestProgress{book.requested(), book.tested(), book.bad()};
  };
  const InterruptGuard guard;
  MemoryTestTeller teller(output, progress());
  const KeepBadPages keep_bad_pages = [&file](const std::vector<Range>& pages) {
    const FileLock lock(file.path());
    file.add(pages);
  };
  MemoryTest test(plan, open_device, keep_bad_pages, book, [&] {
    teller.tell(progress());
    if (resume) {
      resume->write(book.known());
    }
  });
  Ending ending;
  try {
    test.run();
  } catch (const std::runtime_error& error) {
    ending.failure = to_failure(error);
    if (book.tested() == tested_before) {
      throw Failure(*ending.failure);
    }
  }
  ending.notes = test.notes();
  if (ending.failure) {
    ending.end = TestReport::End::Failed;
  } else if (InterruptGuard::interrupted() && book.tested() != book.requested()) {
    ending.end = TestReport::End::Interrupted;
  }
  return ending;
}

TestReport to_report(const Order& order, const std::string& file, const MemoryBook& book,
                     const Ending& ending) {
  TestReport report;
  report.requested = book.requested();
  report.tested = book.tested();
  report.bad_size = book.bad();
  report.loops = order.memtester.loops;
  report.tests = order.memtester.tests;
  report.bad = book.bad_stretches();
  const Hindrance untried{ending.end == TestReport::End::Failed ? Hindrance::Kind::Failed
                                                                : Hindrance::Kind::Interrupted,
                          Reason::Unknown};
  std::ranges::merge(
      book.untested(untried), book.unplugged(), std::back_inserter(report.untested), {},
      [](const UntestedStretch& stretch) { return stretch.range.start; },
      [](const UntestedStretch& stretch) { return stretch.range.start; });
  report.memtester_version = ending.notes.memtester_version;
  report.end = ending.end;
  if (order.resume) {
    report.resume_file = order.resume->path();
  }
  if (ending.notes.has_saved && !ending.notes.why_not_saved) {
    report.file = file;
  }
  return report;
}

ExitStatus status_of(const TestReport& report) {
  if (report.end == TestReport::End::Failed || report.bad_size != Bytes{} ||
      report.tested == Bytes{}) {
    return ExitStatus::Failure;
  }
  return report.untested_size() == Bytes{} ? ExitStatus::Success : ExitStatus::Partial;
}

}  // namespace

CLI::App* setup_test(CLI::App& app, TestOptions& options) {
  CLI::App* verb = app.add_subcommand("test", "Run memtester on memory, and keep what is bad out");
  add_text(*verb, "range", "RANGE|--all", options.range,
           "exactly this: 0xFIRST-0xLAST inclusive, or 0xFIRST+SIZE");
  verb->add_flag("--all", options.all, "all memory that is managed and plugged");
  add_text(*verb, "--tests", "N,N,...", options.tests,
           "only these of memtester's tests, beside the one of stuck addresses");
  add_text(*verb, "--loops", "N", options.loops, "how often each test runs, else once");
  add_text(*verb, "--chunk", "SIZE", options.chunk,
           "how much to take out at a time, 64M if not given");
  add_text(*verb, "--resume", "FILE", options.resume,
           "keep in FILE what is tested, and go on from there if it exists");
  add_text(*verb, "--memtester", "PATH", options.memtester, "the program, if it is not in PATH");
  verb->add_flag("--no-keep", options.no_keep, "give back what is bad, too");
  verb->add_option("--file", options.file, "the file that remembers bad memory")
      ->type_name("PATH")
      ->capture_default_str();
  verb->footer(
      "Tests: 0 Random Value; 1 to 6 Compare XOR, SUB, MUL, DIV, OR, AND; 7 Sequential\n"
      "Increment; 8 Solid Bits; 9 Block Sequential; 10 Checkerboard; 11 Bit Spread; 12 Bit Flip;\n"
      "13 Walking Ones; 14 Walking Zeroes; 15 8-bit Writes; 16 16-bit Writes.\n"
      "The options of 'memplugctl --help' go with every verb.\n"
      "Exit status: 0 all of it is good, 1 something is bad or nothing could be tested,\n"
      "64 part of it could not be tested, 2 usage.");
  return verb;
}

ExitStatus run_test(const TestOptions& options, const OpenDevice& open_device,
                    const Surroundings& surroundings, Output& output) {
  Order order = to_order(options);
  const QuarantineFile file(options.file);
  if (order.keep) {
    // One that can't be understood is to be known before something bad is found.
    static_cast<void>(file.read_if_there());
  }
  std::optional<FileLock> one_at_a_time;
  if (order.resume) {
    order.resume->read({order.memtester.tests, order.memtester.loops, {}});
  }
  const auto begin = Clock::now();
  Device device = open_device(Access::Write);
  const Info info = device.info();
  check_module(info, order.keep);
  check_against_subblock(order, info.subblock);
  const MemoryTestPlan plan = to_plan(order, info);
  if (order.resume) {
    // Two tests would each forget what the other one finds. Read again, as one may just have ended.
    one_at_a_time.emplace(order.resume->path());
    order.resume->read({order.memtester.tests, order.memtester.loops, {}});
  }
  MemoryBook book = look(order, plan, device, surroundings.zones);
  check_commit_limit(plan, book, surroundings.commit_limit);
  if (order.resume) {
    // A file that can't be written is to be known before hours of work.
    order.resume->write(book.known());
  }
  const Ending ending = run_passes(plan, open_device, file, order.resume, book, output);
  TestReport report = to_report(order, options.file, book, ending);
  report.elapsed = Clock::now() - begin;
  output.give(output.style.json ? test_json(report) : test_text(report, output.style));
  output.explain([&] { return explain_test(report, ending.notes.no_verdict, info, output.style); });
  if (ending.notes.why_not_saved) {
    output.prose << explain_unsaved_pages(*ending.notes.why_not_saved);
  }
  if (ending.failure) {
    output.prose << explain_failed_test(*ending.failure);
  }
  return status_of(report);
}

Verb test_verb() {
  const auto options = std::make_shared<TestOptions>();
  return {.setup = [options](CLI::App& app) { return setup_test(app, *options); },
          .run =
              [options](const Environment& environment) {
                options->device_path = &environment.device_path;
                return run_test(*options, environment.open_device, environment.surroundings,
                                environment.output);
              },
          .changes_memory = true};
}

}  // namespace memplug
