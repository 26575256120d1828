// SPDX-License-Identifier: MIT
#include "report/ramtest_words.hpp"

#include <algorithm>
#include <map>

#include "report/shortfall.hpp"
#include "words/prose.hpp"

namespace memplug {
namespace {

using Kind = Hindrance::Kind;

std::string line(std::string_view text) { return prose_line("test", text); }

Bytes size_with(const TestReport& report, Kind kind) {
  Bytes size;
  for (const UntestedStretch& stretch : report.untested) {
    size += stretch.why.kind == kind ? stretch.range.size : Bytes{};
  }
  return size;
}

std::string explain_untested(const TestReport& report, const std::vector<std::string>& notes,
                             const OutputStyle& style) {
  std::map<Reason, Bytes> by_reason;
  for (const UntestedStretch& stretch : report.untested) {
    if (stretch.why.kind == Kind::Blocked) {
      by_reason[stretch.why.reason] += stretch.range.size;
    }
  }
  std::string text = explain_reasons("test", by_reason, style);
  if (const Bytes size = size_with(report, Kind::Unplugged); size != Bytes{}) {
    text += line("unplugged, " + size_text(size, style) +
                 ": somebody has it out; 'memplugctl list' tells who, 'memplugctl plug' gives back "
                 "what nobody holds");
  }
  for (const std::string& note : notes) {
    text += line(note);
  }
  return text;
}

std::string explain_bad(const TestReport& report) {
  const auto is_kept = [](const BadStretch& bad) { return bad.kept; };
  std::string text;
  if (std::ranges::any_of(report.bad, is_kept)) {
    text += line(
        "what is bad and kept out stays so until its quarantine ends; 'memplugctl "
        "quarantine list' tells of it");
  }
  if (!std::ranges::all_of(report.bad, is_kept)) {
    text += line(
        "what is bad and not kept out is in use; 'memplugctl quarantine add RANGE' takes "
        "it out");
  }
  return text;
}

std::string explain_resume(const TestReport& report) {
  if (!report.resume_file) {
    return "";
  }
  if (report.end == TestReport::End::All) {
    return line("all that could be tested is; " + *report.resume_file +
                " has the whole result and stays, remove it to test anew");
  }
  return line("the same command goes on from here, with --resume " + *report.resume_file);
}

}  // namespace

std::string explain_test(const TestReport& report, const std::vector<std::string>& notes,
                         const Info& info, const OutputStyle& style) {
  if (info.managed == Bytes{}) {
    return line(why_nothing_is_managed()) + line(step_if_nothing_is_managed());
  }
  std::string text;
  if (report.end == TestReport::End::Interrupted) {
    text += line("interrupted, with " + size_text(report.untested_size(), style) +
                 " untested; what was out for that is back");
  }
  return text + explain_untested(report, notes, style) + explain_bad(report) +
         explain_resume(report);
}

std::string explain_unsaved_pages(const std::string& why) {
  return line("not saved: " + why) +
         line(
             "what is bad and kept out is so until the next boot only; 'memplugctl quarantine add "
             "RANGE' saves it when the file can be written");
}

std::string explain_failed_test(const Failure& failure) {
  std::string text = line(std::string("ended early: ") + failure.what());
  if (!failure.next_step().empty()) {
    text += line(failure.next_step());
  }
  return text;
}

}  // namespace memplug
