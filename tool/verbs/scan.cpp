// SPDX-License-Identifier: MIT
// memplugctl scan
#include "verbs/scan.hpp"

#include <memory>
#include <vector>

#include "memplug.h"
#include "memplug/failure.hpp"
#include "report/report.hpp"
#include "report/shortfall.hpp"
#include "request/refusals.hpp"
#include "request/request.hpp"
#include "verbs/option_text.hpp"
#include "words/prose.hpp"

namespace memplug {
namespace {

Request to_request(const ScanOptions& options) {
  Request request;
  request.dry_run = true;
  request.window = parse_option("--within", options.within, parse_range);
  request.align = parse_option("--align", options.align, parse_align).value_or(request.align);
  request.zone = parse_option("--zone", options.zone, parse_zone).value_or(request.zone);
  return request;
}

// As an unplug would have it: what is wrong with the options is wrong here, too.
void complete(Request& request, const Info& info) {
  request.length = info.subblock;
  if (request.align == Bytes{}) {
    request.align = info.subblock;
  }
  check_against_subblock(request, info.subblock);
}

// What is not managed is of no zone that could be asked for.
std::vector<Stretch> of_zone(std::vector<Stretch> stretches, ZoneChoice choice) {
  if (choice != ZoneChoice::Any) {
    std::erase_if(stretches, [choice](const Stretch& stretch) {
      return stretch.state == SubblockState::Unmanaged ||
             stretch.low != (choice == ZoneChoice::Low);
    });
  }
  return stretches;
}

// What one request for all of it would get.
Result try_all(Device& device, Request request, Bytes plugged) {
  if (plugged == Bytes{}) {
    return {};
  }
  request.length = plugged;
  request.align = Bytes{0};
  return device.carry_out(request, {});
}

std::string explain(const ScanReport& report, const Info& info, const OutputStyle& style) {
  std::string text;
  const auto say = [&text](std::string_view words) { text += prose_line("scan", words); };
  if (info.managed == Bytes{}) {
    say(why_nothing_is_managed());
    say(step_if_nothing_is_managed());
    return text;
  }
  if (report.stop == Stop::Floor) {
    say(floor_sentence(info, style));
  } else if (report.stop == Stop::CommitLimit) {
    say("stopped by the commit limit: " + std::string(commit_limit_reason));
  }
  return text + explain_reasons("scan", report.sums.by_reason, style);
}

}  // namespace

CLI::App* setup_scan(CLI::App& app, ScanOptions& options) {
  CLI::App* verb =
      app.add_subcommand("scan", "Show what could be unplugged, and what is in the way");
  add_text(*verb, "--within", "RANGE", options.within, "look inside this range only");
  add_text(*verb, "--align", "SIZE", options.align,
           "where the largest run may begin: a multiple of this power of two");
  add_zone(*verb, options.zone);
  verb->footer(looking_footer);
  return verb;
}

ExitStatus run_scan(const ScanOptions& options, const OpenDevice& open_device,
                    const Surroundings& surroundings, Output& output) {
  Request request = to_request(options);
  Device device = open_device(Access::Write);
  const Info info = device.info();
  require_feature(info, MEMPLUG_FEATURE_SURVEY, lacks_survey);
  if (request.window) {
    request.window = widened("scan", *request.window, info.subblock, output);
  }
  complete(request, info);
  require_zone(request, info);
  ScanReport report;
  report.within = request.window;
  report.align = request.align;
  report.sums = add_up(of_zone(device.survey(request.window.value_or(all_memory())), request.zone),
                       Bytes{info.page_size}, request.align);
  Result result = try_all(device, request, report.sums.plugged);
  const auto most = most_to_unplug(surroundings.commit_limit, info.subblock);
  if (most && *most < result.done) {
    result.done = *most;
    result.stop = Stop::CommitLimit;
  }
  report.could_be_unplugged = result.done;
  report.stop = result.stop;
  output.give(output.style.json ? scan_json(report) : scan_text(report, output.style));
  output.explain([&] { return explain(report, info, output.style); });
  return ExitStatus::Success;
}

Verb scan_verb() {
  const auto options = std::make_shared<ScanOptions>();
  return {.setup = [options](CLI::App& app) { return setup_scan(app, *options); },
          .run =
              [options](const Environment& environment) {
                return run_scan(*options, environment.open_device, environment.surroundings,
                                environment.output);
              }};
}

}  // namespace memplug
