// SPDX-License-Identifier: MIT
// A folder of a test's own, as tests run side by side: for its files, or for the root of a machine.
// Nothing else in tests/unit names a place in /tmp; lint looks.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace memplug::test {

class TemporaryFolder {
 public:
  TemporaryFolder() : root_(testing::TempDir() + "memplug-" + std::string(6, 'X')) {
    EXPECT_NE(::mkdtemp(root_.data()), nullptr);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() { std::filesystem::remove_all(root_); }

  [[nodiscard]] const std::string& root() const { return root_; }

  void write(const std::string& path, const std::string& text) const {
    std::filesystem::create_directories(std::filesystem::path(root_ + path).parent_path());
    std::ofstream(root_ + path) << text;
  }
  void remove(const std::string& path) const { std::filesystem::remove_all(root_ + path); }

 private:
  std::string root_;
};

}  // namespace memplug::test
