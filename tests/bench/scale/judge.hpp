// SPDX-License-Identifier: MIT
// Holds measured figures against what memplug promises, while they are printed.
#pragma once

#include <benchmark/benchmark.h>

#include <string>
#include <vector>

class Judge : public benchmark::ConsoleReporter {
 public:
  // The counters that it looks at, and the argument of the machine that the limits are for.
  static constexpr const char* region_bytes = "region";
  static constexpr const char* request_bytes = "request";
  static constexpr const char* hold_ms = "hold_ms";
  static constexpr const char* size_argument = "GiB";

  // Colours are for terminals.
  Judge();

  void ReportRuns(const std::vector<Run>& reports) override;

  // What is not as promised; something as well if nothing was measured at all.
  [[nodiscard]] std::vector<std::string> findings() const;

 private:
  void judge(const Run& run);
  void judge_at_1_tib(const Run& run);

  std::vector<std::string> findings_;
  unsigned int checked_ = 0;
};
