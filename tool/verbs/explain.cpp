// SPDX-License-Identifier: MIT
// memplugctl explain
#include "verbs/explain.hpp"

#include <limits>
#include <memory>
#include <optional>
#include <set>

#include "memplug.h"
#include "memplug/failure.hpp"
#include "memplug/reason_words.hpp"
#include "report/report.hpp"
#include "request/refusals.hpp"
#include "request/request.hpp"
#include "verbs/option_text.hpp"
#include "words/names.hpp"
#include "words/prose.hpp"
#include "words/reasons.hpp"

namespace memplug {
namespace {

ExplainedStretch explain_stretch(const Stretch& stretch, const PageFacts& facts) {
  ExplainedStretch explained;
  explained.stretch = stretch;
  if (stretch.obstacle) {
    explained.page_flags = facts.flags(stretch.obstacle->pfn);
    explained.page_owner = facts.owner(stretch.obstacle->pfn);
  }
  return explained;
}

// What each reason that occurs means and what usually helps, once.
std::string explain(const ExplainReport& report) {
  std::set<Reason> reasons;
  std::set<BadWhy> whys;
  for (const ExplainedStretch& explained : report.stretches) {
    if (explained.stretch.obstacle) {
      reasons.insert(explained.stretch.obstacle->reason);
    }
    if (explained.stretch.state == SubblockState::Unmanaged) {
      whys.insert(explained.stretch.why);
    }
  }
  std::string text;
  const auto say = [&text](std::string_view name, const Words& words) {
    text += prose_line("explain", std::string(name) + ": " + std::string(words.what) + "; " +
                                      std::string(words.step));
  };
  for (const Reason reason : reasons) {
    say(reason_name(reason), tool_words_for(reason));
  }
  for (const BadWhy why : whys) {
    say(bad_why_name(why), words_for(why));
  }
  return text;
}

constexpr std::string_view frame_prefix = "pfn:";

// What is to be explained, before it is rounded to subblocks. A page frame is a page.
class Place {
 public:
  // Throws UsageError.
  explicit Place(const std::string& text) : text_(text) {
    if (text.starts_with(frame_prefix)) {
      frame_ = parse_page_frame(std::string_view(text).substr(frame_prefix.size()));
    } else if (text.find_first_of("-+") == std::string::npos && looks_like_range(text)) {
      range_ = {parse_physical_address(text), Bytes{1}};
    } else {
      range_ = parse_range(text);
    }
  }

  [[nodiscard]] Range range(Bytes page) const {
    if (!frame_) {
      return range_;
    }
    if (*frame_ > std::numeric_limits<std::uint64_t>::max() / page.value) {
      throw UsageError("page frame '" + text_ + "': it lies beyond the address space");
    }
    return {PhysAddr{*frame_ * page.value}, page};
  }

 private:
  std::string text_;
  std::optional<std::uint64_t> frame_;
  Range range_;
};

}  // namespace

CLI::App* setup_explain(CLI::App& app, ExplainOptions& options) {
  CLI::App* verb = app.add_subcommand(
      "explain", "Show what each subblock of a range is, and what is in the way");
  add_text(*verb, "range", "RANGE|ADDRESS|pfn:N", options.range,
           "0xFIRST-0xLAST inclusive, 0xFIRST+SIZE, an address in hexadecimal, or a page frame; "
           "whole subblocks are shown");
  verb->footer(looking_footer);
  return verb;
}

ExitStatus run_explain(const ExplainOptions& options, const OpenDevice& open_device,
                       const PageFacts& facts, Output& output) {
  if (!options.range) {
    throw UsageError(
        "a RANGE, an address or a page frame is needed, such as 0x140000000+64M or pfn:0x140000");
  }
  const Place place(*options.range);
  Device device = open_device(Access::Read);
  const Info info = device.info();
  require_feature(info, MEMPLUG_FEATURE_SURVEY, lacks_survey);
  ExplainReport report;
  report.range = widened("explain", place.range(Bytes{info.page_size}), info.subblock, output);
  for (const Stretch& stretch : device.survey(report.range)) {
    report.stretches.push_back(explain_stretch(stretch, facts));
  }
  output.give(output.style.json ? explain_json(report) : explain_text(report, output.style));
  output.explain([&report] { return explain(report); });
  return ExitStatus::Success;
}

Verb explain_verb() {
  const auto options = std::make_shared<ExplainOptions>();
  return {.setup = [options](CLI::App& app) { return setup_explain(app, *options); },
          .run =
              [options](const Environment& environment) {
                return run_explain(*options, environment.open_device, environment.page_facts,
                                   environment.output);
              }};
}

}  // namespace memplug
