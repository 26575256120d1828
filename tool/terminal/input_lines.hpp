// SPDX-License-Identifier: MIT
// Lines of stdin, as they come; a signal that an InterruptGuard has seen ends the wait for the
// next.
#pragma once

#include <optional>
#include <string>

namespace memplug {

class InputLines {
 public:
  // Without its end; nothing: there is none any more. What is longer than any line of a log is cut
  // off. Throws Failure if it can't be read.
  [[nodiscard]] std::optional<std::string> next();

 private:
  // Whether there is more.
  [[nodiscard]] bool read_more();

  std::string rest_;
  bool is_over_ = false;
};

}  // namespace memplug
