// SPDX-License-Identifier: MIT
// What came of a memory test, what that means and what to do next: prose for stderr, line by line
// with its prefix.
#pragma once

#include <string>
#include <vector>

#include "memplug/failure.hpp"
#include "report/report.hpp"
#include "terminal/output.hpp"

namespace memplug {

// notes: why memtester gave no verdict.
[[nodiscard]] std::string explain_test(const TestReport& report,
                                       const std::vector<std::string>& notes, const Info& info,
                                       const OutputStyle& style);

// Of bad pages that are out and not in the file; why: the error.
[[nodiscard]] std::string explain_unsaved_pages(const std::string& why);

// Of one that failed when it had tested something already.
[[nodiscard]] std::string explain_failed_test(const Failure& failure);

}  // namespace memplug
