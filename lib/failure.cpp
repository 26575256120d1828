// SPDX-License-Identifier: MIT
// Names and words for errno values.
#include "memplug/failure.hpp"

#include <cstring>

namespace memplug {

std::string with_reason(const std::string& what, int error_number) {
  return what + ": " + std::generic_category().message(error_number);
}

std::string errno_name(int error_number) {
#ifdef __GLIBC_PREREQ
#if __GLIBC_PREREQ(2, 32)
  if (const char* name = ::strerrorname_np(error_number); name != nullptr) {
    return name;
  }
#endif
#endif
  return std::to_string(error_number);
}

}  // namespace memplug
