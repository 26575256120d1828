// SPDX-License-Identifier: MIT
// Anybody may write to the journal, but not its fields that begin with an underscore. The kernel
// quotes users, too: names of their programs begin the lines about what these did, on the level of
// information; what it says of bad memory are warnings and more.
#include "quarantine/log_entry.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <nlohmann/json.hpp>

namespace memplug {
namespace {

using nlohmann::json;

// KERN_WARNING; less is graver.
constexpr char least_grave = '4';

std::string text_of(const json& entry, const char* field) {
  const auto place = entry.find(field);
  return place != entry.end() && place->is_string() ? place->get<std::string>() : std::string();
}

std::optional<LogSource> source_of(const json& entry) {
  if (text_of(entry, "_TRANSPORT") == "kernel") {
    const std::string priority = text_of(entry, "PRIORITY");
    return priority.size() == 1 && priority[0] >= '0' && priority[0] <= least_grave
               ? std::optional(LogSource::Kernel)
               : std::nullopt;
  }
  const std::string unit = text_of(entry, "_SYSTEMD_UNIT");
  if (unit == "rasdaemon.service") {
    return LogSource::Rasdaemon;
  }
  return unit == "mcelog.service" ? std::optional(LogSource::Mcelog) : std::nullopt;
}

std::optional<LogEntry::Time> time_of(const json& entry) {
  const std::string text = text_of(entry, "__REALTIME_TIMESTAMP");
  // Far from what a difference of two could not have.
  constexpr std::int64_t greatest = std::int64_t{1} << 60U;
  std::int64_t since_epoch = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), since_epoch);
  if (error != std::errc() || end != text.data() + text.size() || since_epoch < 0 ||
      since_epoch > greatest) {
    return std::nullopt;
  }
  return LogEntry::Time(std::chrono::microseconds(since_epoch));
}

std::optional<LogEntry> of_journal(std::string_view line) {
  const json entry = json::parse(line, nullptr, false);
  if (!entry.is_object()) {
    return std::nullopt;
  }
  const auto source = source_of(entry);
  const auto when = time_of(entry);
  // What has bytes that are no text is an array.
  const std::string message = text_of(entry, "MESSAGE");
  if (!source || !when || message.empty()) {
    return std::nullopt;
  }
  return LogEntry{message, *source, *when};
}

// As of syslog: "Jan  1 00:00:00 host kernel: ", or "... rasdaemon[12]: ".
std::string_view without_name(std::string_view line) {
  constexpr std::array<std::string_view, 3> names{"kernel", "rasdaemon", "mcelog"};
  const auto end = line.find(": ");
  if (end == std::string_view::npos) {
    return line;
  }
  std::string_view name = line.substr(0, end);
  name = name.substr(name.find_last_of(' ') + 1);
  name = name.substr(0, name.find('['));
  return std::ranges::find(names, name) == names.end() ? line : line.substr(end + 2);
}

// As of dmesg: "[   12.345678] ".
std::string_view without_time(std::string_view line) {
  const auto end = line.find("] ");
  if (!line.starts_with('[') || end == std::string_view::npos ||
      line.substr(1, end - 1).find_first_not_of(" .0123456789") != std::string_view::npos) {
    return line;
  }
  return line.substr(end + 2);
}

}  // namespace

std::optional<LogEntry> read_log_line(std::string_view line, LogEntry::Time now) {
  if (line.starts_with('{')) {
    return of_journal(line);
  }
  return LogEntry{std::string(without_time(without_name(line))), LogSource::Text, now};
}

}  // namespace memplug
