// SPDX-License-Identifier: MIT
// What is thrown where there is no result: UsageError for what can't be read or can't be meant
// (memplugctl then ends with 2), Failure for what could not run (1). Both carry finished sentences.
#pragma once

#include <cerrno>
#include <stdexcept>
#include <string>
#include <system_error>

namespace memplug {

class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// What the caller asked for could not run. what() is the message alone; the next step is what the
// reader may do about it, or empty.
class Failure : public std::system_error {
 public:
  Failure(int error_number, const std::string& message, std::string next_step)
      : std::system_error(error_number, std::generic_category(), message),
        message_(message),
        next_step_(std::move(next_step)) {}

  [[nodiscard]] const char* what() const noexcept override { return message_.c_str(); }
  [[nodiscard]] const std::string& next_step() const { return next_step_; }

 private:
  std::string message_;
  std::string next_step_;
};

// "cannot open x: No such file or directory"
[[nodiscard]] std::string with_reason(const std::string& what, int error_number);
// "ENOENT"
[[nodiscard]] std::string errno_name(int error_number);

}  // namespace memplug
