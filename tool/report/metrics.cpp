// SPDX-License-Identifier: MIT
// Metrics for Prometheus. Names and labels are only ever added.
#include <array>
#include <charconv>
#include <sstream>

#include "look/status.hpp"
#include "report/report.hpp"
#include "words/names.hpp"

namespace memplug {
namespace {

using Label = std::pair<std::string_view, std::string>;

std::string escaped(const std::string& value) {
  std::string text;
  for (const char character : value) {
    if (character == '\n') {
      text += "\\n";
      continue;
    }
    if (character == '\\' || character == '"') {
      text += '\\';
    }
    text += character;
  }
  return text;
}

class Metrics {
 public:
  enum class Kind { Gauge, Counter };

  void begin(std::string_view name, Kind kind, std::string_view help) {
    name_ = "memplug_" + std::string(name);
    text_ << "# HELP " << name_ << ' ' << help << "\n# TYPE " << name_ << ' '
          << (kind == Kind::Gauge ? "gauge" : "counter") << '\n';
  }

  void add(std::uint64_t value, const std::vector<Label>& labels = {}) {
    add_text(std::to_string(value), labels);
  }

  void add(std::chrono::nanoseconds time) {
    std::array<char, 64> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(),
                                   std::chrono::duration<double>(time).count());
    add_text(std::string(digits.data(), end.ptr), {});
  }

  template <typename Value>
  void only(std::string_view name, Kind kind, std::string_view help, Value value) {
    begin(name, kind, help);
    add(value);
  }

  [[nodiscard]] std::string take() const { return text_.str(); }

 private:
  void add_text(const std::string& value, const std::vector<Label>& labels) {
    text_ << name_;
    const char* separator = "{";
    for (const auto& [label, text] : labels) {
      text_ << separator << label << "=\"" << escaped(text) << '"';
      separator = ",";
    }
    text_ << (labels.empty() ? " " : "} ") << value << '\n';
  }

  std::string name_;
  std::ostringstream text_;
};

constexpr auto gauge = Metrics::Kind::Gauge;
constexpr auto counter = Metrics::Kind::Counter;

void add_nodes(Metrics& metrics, const std::vector<NodeShare>& nodes) {
  const auto label = [](const NodeShare& share) {
    return std::vector<Label>{{"node", std::to_string(share.node)}};
  };
  metrics.begin("managed_bytes", gauge, "Memory that memplug looks after, plugged and unplugged.");
  for (const NodeShare& share : nodes) {
    metrics.add(share.managed.value, label(share));
  }
  metrics.begin("unplugged_bytes", gauge, "Memory that memplug holds.");
  for (const NodeShare& share : nodes) {
    metrics.add(share.unplugged.value, label(share));
  }
}

void add_target(Metrics& metrics, const Info& info) {
  if (info.target) {
    metrics.only("target_bytes", gauge, "Plugged size that is worked toward; absent without one.",
                 info.target->value);
  }
  constexpr std::array states{TargetState::None, TargetState::Reached, TargetState::Working,
                              TargetState::Floor, TargetState::Blocked};
  metrics.begin("target_state", gauge, "1 for the state that the target is in, 0 for the others.");
  for (const TargetState state : states) {
    metrics.add(info.target_state == state ? 1 : 0,
                {{"state", std::string(target_state_name(state))}});
  }
}

void add_counters(Metrics& metrics, const Counters& counters, std::uint64_t page) {
  metrics.begin("requests_total", counter, "Requests that ran, dry runs not counted.");
  metrics.add(counters.unplug_requests, {{"operation", "unplug"}});
  metrics.add(counters.plug_requests, {{"operation", "plug"}});
  metrics.only("floor_stops_total", counter, "Requests that the floor stopped.",
               counters.floor_stops);
  metrics.only("claims_total", counter, "Attempts to take a run of memory.", counters.claims);
  metrics.only("claims_failed_total", counter, "Attempts that took nothing.",
               counters.claims_failed);
  metrics.only("claimed_bytes_total", counter, "Memory taken.", counters.pages_claimed * page);
  metrics.only("released_bytes_total", counter, "Memory given back, roll-backs included.",
               counters.pages_released * page);
  metrics.only("migrated_bytes_total", counter,
               "Memory moved during claims, by the kernel's system-wide count.",
               counters.pages_migrated * page);
  metrics.only("survey_seconds_total", counter, "Time spent on looking for what to take.",
               counters.survey);
  metrics.only("claim_seconds_total", counter,
               "Time that claims took, added up over those side by side.", counters.claim);
  metrics.only("oom_events_total", counter,
               "Times that a machine out of memory got some of it back.", counters.oom_events);
  metrics.only("oom_released_bytes_total", counter, "Memory that it got back then.",
               counters.oom_pages * page);
}

}  // namespace

std::string metrics_text(const Status& status) {
  const Info& info = status.info;
  Metrics metrics;
  // 0 is what contrib/memplug-metrics.service has where there is nobody to ask, in the same words.
  metrics.only("up", gauge, "Whether memplug could be asked; if not, there is nothing else of it.",
               1U);
  metrics.begin("info", gauge, "What is loaded; always 1.");
  metrics.add(1, {{"module_version", info.module_version},
                  {"tool_version", status.tool_version},
                  {"kernel", status.kernel}});
  add_nodes(metrics, status.nodes);
  metrics.only("wanted_bytes", gauge, "Memory that is to be unplugged and is not at the moment.",
               info.wanted.value);
  metrics.only("wanted_other_zone_bytes", gauge,
               "Of it, what came back in a zone where memplug takes nothing.",
               info.wanted_other_zone.value);
  add_target(metrics, info);
  metrics.only("floor_bytes", gauge, "Available memory that an unplug leaves; 0: no floor.",
               info.floor.value);
  metrics.only("subblock_bytes", gauge, "The unit of plugging.", info.subblock.value);
  metrics.begin("other_driver", gauge,
                "Other drivers at work here that take memory out or put it back; always 1.");
  for (const OtherDriver driver : info.others) {
    metrics.add(1, {{"driver", std::string(other_name(driver))}});
  }
  add_counters(metrics, status.counters, info.page_size);
  metrics.only("quarantined_bytes", gauge, "Of what memplug holds, what is kept out as bad.",
               status.quarantined().value);
  metrics.only("low_managed_bytes", gauge,
               "Of what memplug looks after, what lies below ZONE_NORMAL.", info.low_managed.value);
  metrics.only("low_unplugged_bytes", gauge, "Of what memplug holds, what lies below ZONE_NORMAL.",
               info.low_unplugged.value);
  return metrics.take();
}

}  // namespace memplug
