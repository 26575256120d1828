// SPDX-License-Identifier: MIT
// Names and words for errno values.
#include "memplug/failure.hpp"

#include <cstring>

namespace memplug {

std::string with_reason(const std::string& what, int error_number) {
  return what + ": " + std::generic_category().message(error_number);
}

std::string errno_name(int error_number) {
  const char* name = ::strerrorname_np(error_number);
  return name != nullptr ? name : std::to_string(error_number);
}

}  // namespace memplug
