// SPDX-License-Identifier: MIT
// The limits, and what breaks them.
#include "judge.hpp"

#include <unistd.h>

#include <sstream>

namespace {

constexpr double max_ms_at_1_tib = 50;
constexpr double max_hold_ms_at_1_tib = 1;
constexpr double max_bytes_at_1_tib = 1.75 * 1024 * 1024;

double counter(const benchmark::BenchmarkReporter::Run& run, const char* name) {
  const auto found = run.counters.find(name);
  return found == run.counters.end() ? 0 : found->second.value;
}

}  // namespace

Judge::Judge() : ConsoleReporter(isatty(STDOUT_FILENO) != 0 ? OO_ColorTabular : OO_Tabular) {}

void Judge::judge_at_1_tib(const Run& run) {
  const double ms =
      run.GetAdjustedCPUTime() / benchmark::GetTimeUnitMultiplier(run.time_unit) * 1e3;
  const double bytes = counter(run, region_bytes) + counter(run, request_bytes);
  checked_++;
  std::ostringstream text;
  if (ms > max_ms_at_1_tib) {
    text << run.benchmark_name() << ": " << ms << " ms, more than " << max_ms_at_1_tib;
    findings_.push_back(text.str());
  }
  if (bytes > max_bytes_at_1_tib) {
    text.str("");
    text << run.benchmark_name() << ": " << bytes << " bytes, more than " << max_bytes_at_1_tib;
    findings_.push_back(text.str());
  }
  const double hold = counter(run, hold_ms);
  if (hold > max_hold_ms_at_1_tib) {
    text.str("");
    text << run.benchmark_name() << ": " << hold << " ms with the lock held, more than "
         << max_hold_ms_at_1_tib;
    findings_.push_back(text.str());
  }
}

void Judge::judge(const Run& run) {
  if (run.error_occurred) {
    findings_.push_back(run.benchmark_name() + ": " + run.error_message);
  } else if (run.report_big_o) {
    checked_++;
    if (run.complexity == benchmark::oNSquared || run.complexity == benchmark::oNCubed) {
      findings_.push_back(run.benchmark_name() + ": grows faster than n log n");
    }
  } else if (run.run_type == Run::RT_Iteration &&
             run.run_name.args == std::string(size_argument) + ":1024") {
    judge_at_1_tib(run);
  }
}

void Judge::ReportRuns(const std::vector<Run>& reports) {
  ConsoleReporter::ReportRuns(reports);
  for (const Run& run : reports) {
    judge(run);
  }
}

std::vector<std::string> Judge::findings() const {
  if (checked_ == 0) {
    return {"nothing was measured that there is a limit for"};
  }
  return findings_;
}
