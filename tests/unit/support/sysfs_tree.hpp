// SPDX-License-Identifier: MIT
// A folder that stands in for sysfs, with the drivers that a test puts there.
#pragma once

#include <filesystem>
#include <string>

#include "temporary_folder.hpp"

namespace memplug::test {

class SysfsTree {
 public:
  [[nodiscard]] const std::string& root() const { return tree_.root(); }

  // Its module is loaded; driver is "virtio/drivers/virtio_mem".
  [[nodiscard]] std::string load(const std::string& driver) const {
    std::string folder = root() + "/bus/" + driver;
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
  TemporaryFolder tree_;
};

}  // namespace memplug::test
