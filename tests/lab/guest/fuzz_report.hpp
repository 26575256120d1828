// SPDX-License-Identifier: MIT
// The table at the end: per command how many calls, how far they came, with which errnos they
// ended, and what is documented and was not seen. It judges nothing.
#pragma once

#include "fuzz_contract.hpp"

namespace fuzz {

inline std::string row_name(std::size_t row) {
  return row == other_row ? "elsewhere" : std::string(operation_names[row]);
}

inline std::string errno_name(std::size_t error) {
  const char* name = error == 0 ? "0" : ::strerrorname_np(static_cast<int>(error));
  return name != nullptr ? name : std::to_string(error);
}

inline void print_table(const Board& board) {
  std::printf("%-10s %9s %9s %8s %8s  errno=calls\n", "command", "calls", "passed", "claimed",
              "us/call");
  for (std::size_t row = 0; row < nr_rows; ++row) {
    const Row& line = board.rows[row];
    std::printf("%-10s %9llu %9llu %8llu %8llu ", row_name(row).c_str(),
                static_cast<unsigned long long>(line.calls),
                static_cast<unsigned long long>(line.passed),
                static_cast<unsigned long long>(line.claimed),
                static_cast<unsigned long long>(line.nanoseconds / 1000 /
                                                std::max<std::uint64_t>(1, line.calls)));
    for (std::size_t error = 0; error < nr_errnos; ++error) {
      if (line.errnos[error] != 0) {
        std::printf(" %s=%llu", errno_name(error).c_str(),
                    static_cast<unsigned long long>(line.errnos[error]));
      }
    }
    std::printf("\n");
  }
}

// Returns how many pairs were not seen that could have been.
inline std::size_t print_unseen(const Board& board, bool injects) {
  std::string unseen;
  std::string impossible;
  std::size_t count = 0;
  for (const Documented& pair : documented()) {
    const Row& line = board.rows[index_of(pair.operation)];
    if (line.errnos[static_cast<std::size_t>(pair.error)] != 0) {
      continue;
    }
    const bool possible = !pair.rare && (injects || !pair.wants_injection);
    count += possible ? 1 : 0;
    (possible ? unseen : impossible) += " " + row_name(index_of(pair.operation)) + ":" +
                                        errno_name(static_cast<std::size_t>(pair.error));
  }
  for (const auto& [name, times] : {std::pair{" UNPLUG", board.late_unplug_faults.load()},
                                    std::pair{" PLUG", board.late_plug_faults.load()}}) {
    if (times == 0) {
      unseen += std::string(name) + ":EFAULT-after-its-work";
      ++count;
    }
  }
  std::printf("documented and not seen:%s\n", unseen.empty() ? " none" : unseen.c_str());
  if (!impossible.empty()) {
    std::printf("only where faults can be injected:%s\n", impossible.c_str());
  }
  return count;
}

struct Totals {
  std::uint64_t calls = 0;
  std::uint64_t passed = 0;
  std::uint64_t claimed = 0;
};

inline Totals totals_of(const Board& board) {
  Totals totals;
  for (const Row& line : board.rows) {
    totals.calls += line.calls;
    totals.passed += line.passed;
    totals.claimed += line.claimed;
  }
  return totals;
}

}  // namespace fuzz
