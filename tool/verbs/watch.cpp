// SPDX-License-Identifier: MIT
// memplugctl watch
#include "verbs/watch.hpp"

#include <algorithm>
#include <memory>

#include "memplug.h"
#include "report/report.hpp"
#include "request/refusals.hpp"
#include "verbs/option_text.hpp"
#include "words/prose.hpp"

namespace memplug {
namespace {

using Clock = std::chrono::steady_clock;
// Longer than anybody waits; poll() takes no more.
constexpr std::chrono::milliseconds longest_wait = std::chrono::hours{24};

struct Order {
  std::optional<std::uint64_t> count;
  std::optional<std::chrono::nanoseconds> timeout;
};

Order to_order(const WatchOptions& options) {
  Order order;
  order.count = parse_option("--count", options.count, parse_count);
  order.timeout = parse_timeout(options.timeout);
  return order;
}

// Nothing: the time is over.
std::optional<std::chrono::milliseconds> next_wait(const Order& order, Clock::time_point begin) {
  if (!order.timeout) {
    return longest_wait;
  }
  const auto left = *order.timeout - (Clock::now() - begin);
  if (left.count() <= 0) {
    return std::nullopt;
  }
  return std::min(std::chrono::ceil<std::chrono::milliseconds>(left), longest_wait);
}

void show(const Event& event, Output& output) {
  if (event.lost != 0 && !output.style.quiet) {
    output.prose << prose_line("watch", std::to_string(event.lost) +
                                            (event.lost == 1 ? " event" : " events") +
                                            " came too fast to be shown and are lost");
  }
  output.data << (output.style.json ? event_json(event) : event_text(event, output.style));
}

void watch(const Order& order, Device& device, Output& output) {
  const auto begin = Clock::now();
  std::uint64_t shown = 0;
  for (;;) {
    for (const Event& event : device.events()) {
      show(event, output);
      if (++shown == order.count) {
        return;
      }
    }
    output.flush();
    const auto wait = next_wait(order, begin);
    if (!wait) {
      return;
    }
    // Whatever ended the wait, the next round sees what is so.
    static_cast<void>(device.wait(*wait));
  }
}

}  // namespace

CLI::App* setup_watch(CLI::App& app, WatchOptions& options) {
  CLI::App* verb = app.add_subcommand("watch", "Show what happens, as it happens");
  add_text(*verb, "--count", "N", options.count, "end after so many events");
  add_text(*verb, "--timeout", "T", options.timeout, "end after this time (500ms, 30s, 5m)");
  verb->footer(looking_footer);
  return verb;
}

ExitStatus run_watch(const WatchOptions& options, const OpenDevice& open_device, Output& output) {
  const Order order = to_order(options);
  Device device = open_device(Access::Read);
  require_feature(device.info(), MEMPLUG_FEATURE_EVENTS, "tells no events");
  // From here on nothing is missed: who waits for the line relies on it.
  static_cast<void>(device.events());
  if (!output.style.quiet) {
    output.prose << prose_line("watch", "waiting for events") << std::flush;
  }
  watch(order, device, output);
  return ExitStatus::Success;
}

Verb watch_verb() {
  const auto options = std::make_shared<WatchOptions>();
  return {.setup = [options](CLI::App& app) { return setup_watch(app, *options); },
          .run =
              [options](const Environment& environment) {
                return run_watch(*options, environment.open_device, environment.output);
              },
          .json_lines = true};
}

}  // namespace memplug
