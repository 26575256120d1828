// SPDX-License-Identifier: MIT
// Sizes as module parameters have them: what is read, and what is refused.
#include <gtest/gtest.h>

#include <cerrno>
#include <cstdint>
#include <limits>
#include <utility>

extern "C" {
#include "parameter.h"
}

namespace {

constexpr std::uint64_t untouched = 123;

std::pair<int, std::uint64_t> read(const char* text) {
  __u64 bytes = untouched;
  const int ret = memplug_parameter_bytes(text, &bytes);
  return {ret, bytes};
}

constexpr std::pair<int, std::uint64_t> good(std::uint64_t bytes) { return {0, bytes}; }
constexpr std::pair<int, std::uint64_t> bad(int error) { return {-error, untouched}; }

TEST(Parameter, ReadsNumbers) {
  EXPECT_EQ(read("0"), good(0));
  EXPECT_EQ(read("4096\n"), good(4096));
  EXPECT_EQ(read("0x1f"), good(31));
  EXPECT_EQ(read("0XeK"), good(14 << 10)) << "a digit before it is a letter";
  EXPECT_EQ(read("010"), good(8)) << "octal, as in every parameter of the kernel's";
  EXPECT_EQ(read("18446744073709551615"), good(std::numeric_limits<std::uint64_t>::max()));
  EXPECT_EQ(read("0xffffffffffffffff"), good(std::numeric_limits<std::uint64_t>::max()));
}

TEST(Parameter, ReadsLettersOfEitherCase) {
  std::uint64_t unit = 1;
  for (const auto& [upper, lower] : {std::pair{"3K", "3k"},
                                     {"3M", "3m"},
                                     {"3G", "3g"},
                                     {"3T", "3t"},
                                     {"3P", "3p"},
                                     {"3E", "3e\n"}}) {
    unit <<= 10;
    EXPECT_EQ(read(upper), good(3 * unit));
    EXPECT_EQ(read(lower), good(3 * unit));
  }
}

TEST(Parameter, RefusesWhatWrapsAround) {
  for (const char* text :
       {"16E", "17E", "16384P", "18446744073709551616", "99999999999999999999", "17592186044420M",
        "0x10000000000000000", "0x1000000000000000E0", "02000000000000000000000", "16e\n"}) {
    EXPECT_EQ(read(text), bad(ERANGE)) << text;
  }
}

TEST(Parameter, RefusesWhatIsNoSize) {
  for (const char* text : {"", "\n", "-1", "+1", " 1", "1 ", "K", "1X", "1KB", "1K1", "1\n\n", "0x",
                           "x1", "08", "1.5G", "0xg", "1\x8b"}) {
    EXPECT_EQ(read(text), bad(EINVAL)) << text;
  }
}

}  // namespace
