// SPDX-License-Identifier: MIT
// Where a command writes and how the user wants it. Data is for stdout, prose for stderr.
#pragma once

#include <cstddef>
#include <functional>
#include <new>
#include <ostream>
#include <string>

namespace memplug {

// CLI11 binds options to these fields, so they have no finer types.
struct OutputStyle {
  bool json = false;
  bool bytes = false;
  bool quiet = false;
  bool verbose = false;
};

struct Output {
  OutputStyle style;
  std::ostream& data;
  std::ostream& prose;
  // Whether prose goes to a terminal that progress may be drawn on.
  bool terminal = false;
  // Sends on what was written to data, for a command that goes on; at its end that is main()'s.
  std::function<void()> flush = [] {};
  // The same before a result is explained; if it can't be sent, that is told at the end.
  std::function<void()> show = [] {};
  // Its columns, at this moment.
  std::function<std::size_t()> terminal_width = [] { return std::size_t{80}; };

  // A result whole: who sees data and prose sees it before what explains it.
  void give(const std::string& result) {
    data << result;
    show();
  }

  // What build() returns, unless nobody wants it. The result counts, and is told by then: where
  // there is no memory for words about it, there are none.
  template <typename Build>
  void explain(Build build) {
    if (style.quiet) {
      return;
    }
    try {
      prose << build();
    } catch (const std::bad_alloc&) {
      prose.clear();
    }
  }
};

enum class ExitStatus { Success = 0, Failure = 1, Usage = 2, Partial = 64 };

}  // namespace memplug
