// SPDX-License-Identifier: MIT
// Text against a golden file. MEMPLUG_UPDATE_GOLDEN=1 in the environment rewrites it, for a person
// to read the difference.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

namespace memplug::test {

inline void expect_golden(const std::string& name, const std::string& text) {
  const std::string path = MEMPLUG_GOLDEN_DIR "/" + name;
  if (std::getenv("MEMPLUG_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(path) << text;
    GTEST_SKIP() << "rewrote " << path;
  }
  std::ifstream file(path);
  ASSERT_TRUE(file.is_open()) << path;
  std::ostringstream golden;
  golden << file.rdbuf();
  EXPECT_EQ(text, golden.str()) << path;
}

}  // namespace memplug::test
