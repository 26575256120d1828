// SPDX-License-Identifier: MIT
// The errors with words for people, finished sentences: Failure for what could not run, and the
// kind of it that is the caller's own, UsageError, for what can't be read or can't be meant. Like
// all that the library throws they are std::system_error.
#pragma once

#include <cerrno>
#include <string>
#include <system_error>

namespace memplug {

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

// EINVAL.
class UsageError : public Failure {
 public:
  explicit UsageError(const std::string& message) : Failure(EINVAL, message, "") {}
};

// "cannot open x: No such file or directory"
[[nodiscard]] std::string with_reason(const std::string& what, int error_number);
// "ENOENT"; the number alone where the C library has no names for them.
[[nodiscard]] std::string errno_name(int error_number);

}  // namespace memplug
