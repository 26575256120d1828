// SPDX-License-Identifier: MIT
// What a target holds to be true of the code under test. That it is not is a crash, which is what
// a fuzzer looks for; it is the same with and without NDEBUG.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>

namespace memplug::fuzz {

inline void require(bool holds, const char* what) {
  if (!holds) {
    static_cast<void>(std::fprintf(stderr, "fuzz: not so: %s\n", what));
    std::abort();
  }
}

// With what it was found with.
inline void require(bool holds, const char* what, const std::string& with) {
  if (!holds) {
    static_cast<void>(std::fprintf(stderr, "fuzz: not so: %s: %s\n", what, with.c_str()));
    std::abort();
  }
}

// The same, made into words only if it is needed.
inline void require(bool holds, const char* what, unsigned long number) {
  if (!holds) {
    require(false, what, std::to_string(number));
  }
}

}  // namespace memplug::fuzz
