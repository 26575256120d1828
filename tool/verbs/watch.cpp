// SPDX-License-Identifier: MIT
// memplugctl watch
#include "verbs/watch.hpp"

#include <algorithm>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "memplug.h"
#include "memplug/failure.hpp"
#include "report/report.hpp"
#include "request/refusals.hpp"
#include "verbs/option_text.hpp"
#include "words/names.hpp"
#include "words/prose.hpp"

namespace memplug {
namespace {

using Clock = std::chrono::steady_clock;
// Longer than anybody waits; poll() takes no more.
constexpr std::chrono::milliseconds longest_wait = std::chrono::hours{24};

struct Order {
  std::optional<std::uint64_t> count;
  std::optional<std::chrono::nanoseconds> timeout;
  std::vector<EventType> events;  // none: all
  bool monotonic = false;
};

// Names with commas.
std::vector<EventType> parse_events(const std::string& text) {
  std::vector<EventType> types;
  std::istringstream words(text + ",");
  for (std::string word; std::getline(words, word, ',');) {
    const auto type = event_type(word);
    if (!type) {
      throw UsageError("'" + word + "' is no event; there are " + event_names());
    }
    types.push_back(*type);
  }
  return types;
}

Order to_order(const WatchOptions& options) {
  Order order;
  order.count = parse_option("--count", options.count, parse_count);
  order.timeout = parse_timeout(options.timeout);
  order.events =
      parse_option("--event", options.events, parse_events).value_or(std::vector<EventType>{});
  order.monotonic = options.monotonic;
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

// Both clocks are read now: who sets the wall clock meanwhile sees it set.
WallTime wall_time_of(const Event& event) {
  const auto ago = Clock::now().time_since_epoch() - event.time;
  return WallTime::clock::now() - std::chrono::duration_cast<WallTime::duration>(ago);
}

class Watcher {
 public:
  Watcher(const Order& order, Output& output) : order_(order), output_(output) {}

  // Whether it was the last.
  bool take(Event event) {
    if (event.lost != 0 && !output_.style.quiet) {
      output_.prose << prose_line("watch", std::to_string(event.lost) +
                                               (event.lost == 1 ? " event" : " events") +
                                               " came too fast to be shown and are lost");
    }
    if (!is_asked_for(event.type)) {
      // What was lost before it is before the next one, too.
      lost_ += event.lost;
      return false;
    }
    event.lost += std::exchange(lost_, 0);
    const WallTime wall = wall_time_of(event);
    output_.data << (output_.style.json
                         ? event_json(event, wall)
                         : event_text(event, order_.monotonic ? std::nullopt : std::optional(wall),
                                      output_.style));
    return ++shown_ == order_.count;
  }

 private:
  [[nodiscard]] bool is_asked_for(EventType type) const {
    return order_.events.empty() || std::ranges::find(order_.events, type) != order_.events.end();
  }

  const Order& order_;
  Output& output_;
  std::uint64_t shown_ = 0;
  std::uint32_t lost_ = 0;
};

void watch(const Order& order, Device& device, Output& output) {
  const auto begin = Clock::now();
  Watcher watcher(order, output);
  for (;;) {
    for (const Event& event : device.events()) {
      if (watcher.take(event)) {
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
  add_text(*verb, "--event", "EVENTS", options.events, "only these, with commas: " + event_names());
  verb->add_flag("--monotonic", options.monotonic,
                 "seconds on CLOCK_MONOTONIC, not the time of day");
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
