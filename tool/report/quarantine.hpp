// SPDX-License-Identifier: MIT
// Reports of the quarantine, and what to do about what is not out.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "quarantine/quarantine.hpp"
#include "terminal/output.hpp"

namespace memplug {

struct QuarantineReport {
  std::string_view operation;
  std::vector<Range> asked;  // before it was rounded
  QuarantineOutcome outcome;
  std::optional<std::string> file;           // that has it now, or no longer
  std::optional<std::string> why_not_saved;  // though it was to be
};

[[nodiscard]] std::string quarantine_json(const QuarantineReport& report);
// The same in one line, for who reads one after the other.
[[nodiscard]] std::string quarantine_json_line(const QuarantineReport& report);
[[nodiscard]] std::string quarantine_text(const QuarantineReport& report, const OutputStyle& style);
// Prose for stderr, line by line.
[[nodiscard]] std::string explain_quarantine(const QuarantineReport& report,
                                             const OutputStyle& style);

[[nodiscard]] std::string quarantine_list_json(const std::vector<HeldRange>& ranges,
                                               const std::string& file,
                                               const std::vector<Range>& pages);
[[nodiscard]] std::string quarantine_list_text(const std::vector<HeldRange>& ranges,
                                               const std::string& file,
                                               const std::vector<Range>& pages,
                                               const OutputStyle& style);
[[nodiscard]] std::string quarantine_export_json(std::string_view format, std::string_view text,
                                                 const std::vector<Range>& pages);

}  // namespace memplug
