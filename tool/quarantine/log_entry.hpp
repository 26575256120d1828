// SPDX-License-Identifier: MIT
// One line of a log: what was said, when, and by whom.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace memplug {

// By whom. Text may be anybody's: whoever feeds it answers for it.
enum class LogSource { Kernel, Rasdaemon, Mcelog, Text };

struct LogEntry {
  using Time = std::chrono::sys_time<std::chrono::microseconds>;

  // Of text, without the time and the name that syslog and dmesg put before it.
  std::string message;
  LogSource source = LogSource::Text;
  Time when;
};

// A line of `journalctl --output=json`, which tells by whom it is and when it was said; or text, as
// of now. Nothing: the journal has it from somebody else, as anybody may write to it, or the kernel
// has it on a level at which it repeats what users say.
[[nodiscard]] std::optional<LogEntry> read_log_line(std::string_view line, LogEntry::Time now);

}  // namespace memplug
