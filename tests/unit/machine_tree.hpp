// SPDX-License-Identifier: MIT
// A folder that stands in for the root of a machine, with the files that a test writes there.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace memplug::test {

class MachineTree {
 public:
  MachineTree() : root_(testing::TempDir() + "machine-" + std::string(6, 'X')) {
    EXPECT_NE(::mkdtemp(root_.data()), nullptr);
  }
  MachineTree(const MachineTree&) = delete;
  MachineTree& operator=(const MachineTree&) = delete;
  ~MachineTree() { std::filesystem::remove_all(root_); }

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
