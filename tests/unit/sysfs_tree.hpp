// SPDX-License-Identifier: MIT
// A folder that stands in for sysfs, with the drivers that a test puts there.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>

namespace memplug::test {

class SysfsTree {
 public:
  SysfsTree() : root_(testing::TempDir() + "sysfs-" + std::string(6, 'X')) {
    EXPECT_NE(::mkdtemp(root_.data()), nullptr);
  }
  SysfsTree(const SysfsTree&) = delete;
  SysfsTree& operator=(const SysfsTree&) = delete;
  ~SysfsTree() { std::filesystem::remove_all(root_); }

  [[nodiscard]] const std::string& root() const { return root_; }

  // Its module is loaded; driver is "virtio/drivers/virtio_mem".
  [[nodiscard]] std::string load(const std::string& driver) const {
    std::string folder = root_ + "/bus/" + driver;
    std::filesystem::create_directories(folder);
    const std::string module = folder.substr(folder.rfind('/') + 1);
    std::filesystem::create_directory_symlink("../../../../module/" + module, folder + "/module");
    return folder;
  }
  // And it has a device.
  void bind(const std::string& driver, const std::string& device) const {
    std::filesystem::create_directory_symlink("../../../../devices/" + device,
                                              load(driver) + "/" + device);
  }

 private:
  std::string root_;
};

}  // namespace memplug::test
