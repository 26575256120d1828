// SPDX-License-Identifier: MIT
// memplugctl target
#include "verbs/target.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <memory>
#include <mutex>

#include "machine/text_file.hpp"
#include "memplug.h"
#include "memplug/failure.hpp"
#include "report/report.hpp"
#include "report/shortfall.hpp"
#include "request/refusals.hpp"
#include "request/request.hpp"
#include "request/target_wish.hpp"
#include "terminal/interrupt.hpp"
#include "terminal/progress.hpp"
#include "verbs/option_text.hpp"
#include "words/prose.hpp"

namespace memplug {
namespace {

using Clock = std::chrono::steady_clock;

// A wait ends with a change; this only bounds what one that got lost can cost.
constexpr std::chrono::milliseconds longest_wait{10000};

struct Order {
  TargetWish wish;
  std::optional<Bytes> target;  // that it comes to; none: work toward none
  std::optional<std::chrono::nanoseconds> timeout;
  bool wait = false;
  bool save = false;
};

// Of one that is set; without any of SIZE, --total and --by it is only shown.
Order to_order(const TargetOptions& options) {
  Order order;
  order.wait = options.wait;
  order.save = options.save;
  order.timeout = parse_timeout(options.timeout);
  order.wish = parse_target_wish(options.what, options.total, options.by);
  if (order.wish.of == TargetWish::Of::None && order.wait) {
    throw UsageError("--wait does not go with 'none': there is nothing to wait for");
  }
  if (order.wish.of == TargetWish::Of::None && options.dry_run) {
    throw UsageError("--dry-run does not go with 'none': nothing changes by it");
  }
  if (order.timeout && !order.wait) {
    throw UsageError("--timeout needs --wait: it is how long to wait");
  }
  if (options.dry_run && (order.wait || options.save)) {
    throw UsageError(std::string(order.wait ? "--wait" : "--save") +
                     " does not go with --dry-run, which changes nothing");
  }
  return order;
}

constexpr std::string_view lacks_target = "has no target to work toward";

Failure more_than_managed(Bytes target, const Info& info, const OutputStyle& style) {
  return {ERANGE,
          "target " + size_text(target, style) + " is more than is managed, which is " +
              size_text(info.managed, style),
          info.managed == Bytes{}
              ? why_nothing_is_managed()
              : "the most is " + print_size_argument(info.managed) + ", with everything plugged"};
}

// The module works toward it by itself, and can't see that limit.
void check_commit_limit(Bytes target, const Info& info, const CommitLimit& commit_limit,
                        const OutputStyle& style) {
  const auto most = most_to_unplug(commit_limit, info.subblock);
  // What is on its way already may become less.
  const Bytes plugged = std::min(info.plugged(), info.target.value_or(info.plugged()));
  if (most && target < plugged && plugged - target > *most) {
    throw Failure(ENOSPC,
                  "target " + size_text(target, style) +
                      " is below what the commit limit lets: " + std::string(commit_limit_reason),
                  "the least is " + print_size_argument(plugged - *most) + "; " +
                      std::string(commit_limit_step));
  }
}

// Another process can't be told from an unplug, plug or hotplug that moved the target, save where
// there is none any more.
Failure other_target(Bytes ours, const Info& info, const OutputStyle& style) {
  if (!info.target) {
    return {
        ECANCELED,
        "another process ended the target of " + size_text(ours, style) + " before it was reached",
        "'memplugctl status' shows what is plugged now"};
  }
  return {ECANCELED,
          "the target is " + size_text(*info.target, style) + " now, no longer " +
              size_text(ours, style) +
              ": another process set it, or memory that was unplugged, plugged, added or removed "
              "moved it",
          "'memplugctl status' shows how far that one is"};
}

void write_saved(const std::optional<Bytes>& target, const std::string& path) {
  if (target) {
    replace_file(path,
                 "# By 'memplugctl target --save'; 'memplugctl target none --save' ends it.\n"
                 "options memplug target=" +
                     std::to_string(target->value) + "\n");
    return;
  }
  remove_file(path);
}

// For modprobe. 'none' ends that.
void save(const std::optional<Bytes>& target, const std::string& path) {
  try {
    write_saved(target, path);
  } catch (const Failure& error) {
    throw Failure(error.code().value(),
                  std::string("the target is set, but not saved: ") + error.what(), "");
  }
}

std::string saved_line(const std::optional<Bytes>& target, const std::string& path) {
  return prose_line("target",
                    target ? "saved in " + path + ": the module begins with it when it is loaded"
                           : "no longer saved in " + path);
}

// And keeps it, if asked to: also if a wait for it comes to nothing.
void set_target(const Order& order, Device& device, const Info& info,
                const Surroundings& surroundings, Output& output) {
  const OutputStyle& style = output.style;
  try {
    device.set_target(order.target);
  } catch (const std::system_error& error) {
    const int error_number = error.code().value();
    if (error_number == ENOTTY) {
      throw older_module(info, lacks_target);
    }
    if (error_number == ERANGE && order.target) {
      throw more_than_managed(*order.target, device.info(), style);
    }
    throw Failure(error_number, error.what(), step_after_refusal(error_number));
  }
  if (order.save) {
    save(order.target, surroundings.saved_target);
  }
}

// Hands what the command read to the meter's thread. That may not read INFO by itself: the change
// would then be no news to the wait.
class SharedProgress {
 public:
  SharedProgress(Bytes plugged_before, Bytes target, Clock::time_point begin)
      : progress_{plugged_before, plugged_before, target, TargetState::Working, {}},
        begin_(begin) {}

  void set(const Info& info) {
    const std::lock_guard lock(mutex_);
    progress_.plugged = info.plugged();
    progress_.state = info.target_state;
  }

  [[nodiscard]] std::string line() {
    const std::lock_guard lock(mutex_);
    progress_.elapsed = Clock::now() - begin_;
    return progress_line(progress_);
  }

 private:
  std::mutex mutex_;
  TargetProgress progress_;
  Clock::time_point begin_;
};

// Why the wait is over, or nothing.
std::optional<Stop> end_of_wait(const Info& info, const Order& order, Clock::duration waited) {
  switch (info.target_state) {
    case TargetState::Reached:
      return Stop::None;
    case TargetState::Floor:
      return Stop::Floor;
    case TargetState::None:
    case TargetState::Working:
    case TargetState::Blocked:
      break;
  }
  if (InterruptGuard::interrupted()) {
    return Stop::Interrupted;
  }
  if (order.timeout && waited >= *order.timeout) {
    return Stop::Timeout;
  }
  return std::nullopt;
}

std::chrono::milliseconds next_wait(const Order& order, Clock::duration waited) {
  if (!order.timeout) {
    return longest_wait;
  }
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*order.timeout - waited);
  return std::min(left, longest_wait);
}

// Until there is a reason to wait no longer; fills in report.
void wait_for_target(const Order& order, Bytes target, Device& device, SharedProgress& shared,
                     const OutputStyle& style, TargetReport& report) {
  const auto begin = Clock::now();
  for (;;) {
    report.info = device.info();
    if (report.info.target != target) {
      throw other_target(target, report.info, style);
    }
    shared.set(report.info);
    const auto waited = Clock::now() - begin;
    if (const auto stop = end_of_wait(report.info, order, waited)) {
      report.stop = *stop;
      return;
    }
    // Whatever ended the wait, the next round sees what is so.
    static_cast<void>(device.wait(next_wait(order, waited)));
  }
}

void set_and_wait(const Order& order, Bytes target, const Info& before, Device& device,
                  const Surroundings& surroundings, Output& output, TargetReport& report) {
  const InterruptGuard guard;
  SharedProgress shared(before.plugged(), target, Clock::now());
  set_target(order, device, before, surroundings, output);
  std::unique_ptr<ProgressMeter> meter;
  if (output.terminal && !output.style.quiet) {
    meter = std::make_unique<ProgressMeter>(
        output.prose, [&shared] { return shared.line(); }, output.terminal_width);
  }
  wait_for_target(order, target, device, shared, output.style, report);
}

ExitStatus status_of(const TargetReport& report, Bytes plugged_before) {
  if (report.stop == Stop::None || !report.info.target) {
    return ExitStatus::Success;
  }
  const std::int64_t nearer = bytes_nearer(
      {plugged_before, report.info.plugged(), *report.info.target, TargetState::Working, {}});
  return nearer >= static_cast<std::int64_t>(report.info.subblock.value) ? ExitStatus::Partial
                                                                         : ExitStatus::Failure;
}

Result ask(const Request& forecast, Device& device) {
  try {
    return device.carry_out(forecast, {});
  } catch (const std::system_error& error) {
    const int error_number = error.code().value();
    throw Failure(error_number, error.what(), step_after_refusal(error_number));
  }
}

// Of a forecast that has not come to all of it.
TargetState state_after(Stop stop) {
  switch (stop) {
    case Stop::Floor:
      return TargetState::Floor;
    case Stop::Interrupted:
      // Nobody knows.
      return TargetState::Working;
    default:
      return TargetState::Blocked;
  }
}

// What it would come to, as far as can be seen: the module's forecast of a request.
TargetReport forecast(Bytes target, Device& device, const Info& now) {
  const Bytes plugged = now.plugged();
  TargetReport report;
  report.dry_run = true;
  report.info = now;
  report.info.target = target;
  report.info.target_state = TargetState::Reached;
  if (target == plugged) {
    return report;
  }
  Request request;
  request.operation = target < plugged ? Operation::Unplug : Operation::Plug;
  request.length = target < plugged ? plugged - target : target - plugged;
  request.dry_run = true;
  const Result result = ask(request, device);
  report.info.unplugged = request.operation == Operation::Unplug ? now.unplugged + result.done
                                                                 : now.unplugged - result.done;
  if (result.shortfall() != Bytes{}) {
    report.info.target_state = state_after(result.stop);
    report.stop = result.stop;
  }
  return report;
}

}  // namespace

CLI::App* setup_target(CLI::App& app, TargetOptions& options) {
  CLI::App* verb = app.add_subcommand("target", "Set the plugged size to work toward");
  add_text(*verb, "what", "[SIZE|none]", options.what,
           "how much is to be plugged (64M, 1.5G, 2GiB; 0: as little as the floor lets), or none: "
           "work toward no target; without it the target is shown");
  add_text(*verb, "--total", "SIZE", options.total,
           "instead: so much is MemTotal to be, what memplug does not manage included");
  add_text(*verb, "--by", "+SIZE|-SIZE", options.by,
           "instead: so much more or less than the target, or the plugged size where none is set");
  verb->add_flag("--dry-run", options.dry_run, "tell what would come of it, and change nothing");
  verb->add_flag("--save", options.save, "also whenever the module is loaded (/etc/modprobe.d)");
  verb->add_flag("--wait", options.wait, "return when it is reached or the floor stops it");
  add_text(*verb, "--timeout", "T", options.timeout,
           "with --wait: wait no longer than this (500ms, 30s, 5m)");
  add_keep_watermarks(*verb, options.keep_watermarks);
  add_force(*verb, options.force);
  return verb;
}

namespace {

void tell(TargetReport& report, const Meminfo& meminfo, Output& output) {
  if (!report.total) {
    report.total = meminfo.size("MemTotal");
  }
  output.give(output.style.json ? target_json(report) : target_text(report, output.style));
  output.explain([&] {
    return explain_others("target", report.info.others) +
           explain_target(report.info, report.stop, output.style, !report.dry_run);
  });
}

ExitStatus show_target(const TargetOptions& options, const OpenDevice& open_device,
                       const Surroundings& surroundings, Output& output) {
  if (options.wait || options.timeout || options.force || options.keep_watermarks ||
      options.dry_run || options.save) {
    throw UsageError("a SIZE, 'none', --total or --by is needed with these options, such as 4G");
  }
  Device device = open_device(Access::Read);
  TargetReport report;
  report.info = device.info();
  require_feature(report.info, MEMPLUG_FEATURE_TARGET, lacks_target);
  tell(report, surroundings.meminfo, output);
  return ExitStatus::Success;
}

// As it would be: what MemTotal is goes with the plugged size.
ExitStatus tell_forecast(Bytes target, const Sizes& now, Device& device,
                         const Surroundings& surroundings, Clock::time_point begin,
                         Output& output) {
  TargetReport report = forecast(target, device, now.info);
  if (now.total) {
    report.total = *now.total + report.info.plugged() - now.info.plugged();
  }
  report.elapsed = Clock::now() - begin;
  tell(report, surroundings.meminfo, output);
  return report.info.plugged() == target               ? ExitStatus::Success
         : report.info.plugged() != now.info.plugged() ? ExitStatus::Partial
                                                       : ExitStatus::Failure;
}

}  // namespace

ExitStatus run_target(const TargetOptions& options, const OpenDevice& open_device,
                      const Surroundings& surroundings, Output& output) {
  if (!options.what && !options.total && !options.by) {
    return show_target(options, open_device, surroundings, output);
  }
  Order order = to_order(options);
  const auto begin = Clock::now();
  Device device = open_device(Access::Write);
  const Sizes now = order.wish.of == TargetWish::Of::Total || options.dry_run
                        ? read_sizes(device, surroundings.meminfo)
                        : Sizes{device.info(), std::nullopt};
  const Info& before = now.info;
  require_feature(before, MEMPLUG_FEATURE_TARGET, lacks_target);
  order.target = target_of(order.wish, now);
  if (order.target && !options.force) {
    check_commit_limit(*order.target, before, surroundings.commit_limit, output.style);
  }
  if (options.dry_run) {
    if (*order.target > before.managed) {
      throw more_than_managed(*order.target, before, output.style);
    }
    return tell_forecast(*order.target, now, device, surroundings, begin, output);
  }
  TargetReport report;
  if (order.target && order.wait) {
    set_and_wait(order, *order.target, before, device, surroundings, output, report);
    if (!options.keep_watermarks) {
      surroundings.watermarks.recompute("target", output);
    }
  } else {
    set_target(order, device, before, surroundings, output);
    report.info = device.info();
  }
  report.elapsed = Clock::now() - begin;
  tell(report, surroundings.meminfo, output);
  if (order.save) {
    output.explain([&] { return saved_line(order.target, surroundings.saved_target); });
  }
  return status_of(report, before.plugged());
}

Verb target_verb() {
  const auto options = std::make_shared<TargetOptions>();
  return {.setup = [options](CLI::App& app) { return setup_target(app, *options); },
          .run =
              [options](const Environment& environment) {
                return run_target(*options, environment.open_device, environment.surroundings,
                                  environment.output);
              },
          .changes_memory = true};
}

}  // namespace memplug
