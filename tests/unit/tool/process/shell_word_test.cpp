// SPDX-License-Identifier: MIT
// Words for a shell. tests/cli/doctor_test.py has a shell read such.
#include "process/shell_word.hpp"

#include <gtest/gtest.h>

namespace memplug {
namespace {

TEST(ShellWord, IsPlainWhereNothingNeedsQuotes) {
  for (const char* plain : {"x", "/lib/modules/6.1.0-9-amd64/memplug.ko", "a=b,c:d+e@f%g_h"}) {
    EXPECT_EQ(shell_word(plain), plain);
  }
}

TEST(ShellWord, IsInQuotesWhereAShellWouldMakeSomethingElseOfIt) {
  for (const char* odd : {"",      " ",  "a b", "$x", "`x`", "x;y", "~",   "#", "*",    "?", "[a]",
                          "{a,b}", "!x", "\\",  "\"", "\n",  "x&",  "(x)", "<", "\xff", "^"}) {
    EXPECT_EQ(shell_word(odd), "'" + std::string(odd) + "'");
  }
}

TEST(ShellWord, QuotesAreLeftForAQuote) { EXPECT_EQ(shell_word("it's"), "'it'\\''s'"); }

TEST(ShellWord, APathIsNoOption) {
  EXPECT_EQ(shell_path("-f"), "./-f");
  EXPECT_EQ(shell_path("--a b"), "'./--a b'");
  EXPECT_EQ(shell_path("a-b/-c"), "a-b/-c");
}

}  // namespace
}  // namespace memplug
