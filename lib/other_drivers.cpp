// SPDX-License-Identifier: MIT
// Reads the folders of drivers in sysfs.
#include "other_drivers.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <memory>
#include <string_view>
#include <utility>

namespace memplug {
namespace {

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};
using Folder = std::unique_ptr<DIR, CloseFolder>;

bool is_link(DIR* folder, const char* name) {
  struct stat status {};
  return ::fstatat(::dirfd(folder), name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
         S_ISLNK(status.st_mode);
}

// The driver's own files are no links; its devices are, and its module.
bool has_device(const std::string& driver) {
  const Folder folder(::opendir(driver.c_str()));
  if (!folder) {
    return false;
  }
  while (const dirent* entry = ::readdir(folder.get())) {
    const char* name = std::data(entry->d_name);
    if (std::string_view(name) != "module" && is_link(folder.get(), name)) {
      return true;
    }
  }
  return false;
}

bool is_folder(const std::string& path) { return Folder(::opendir(path.c_str())) != nullptr; }

}  // namespace

std::vector<OtherDriver> drivers_at_work(const std::string& sysfs) {
  constexpr std::array known{
      std::pair{"/bus/virtio/drivers/virtio_mem", OtherDriver::VirtioMem},
      std::pair{"/bus/virtio/drivers/virtio_balloon", OtherDriver::VirtioBalloon},
      std::pair{"/bus/vmbus/drivers/hv_balloon", OtherDriver::HvBalloon},
  };
  std::vector<OtherDriver> drivers;
  for (const auto& [folder, driver] : known) {
    if (has_device(sysfs + folder)) {
      drivers.push_back(driver);
    }
  }
  // No driver of a bus: a device of the system, which is there whenever the balloon is.
  if (is_folder(sysfs + "/devices/system/xen_memory/xen_memory0")) {
    drivers.push_back(OtherDriver::XenBalloon);
  }
  return drivers;
}

}  // namespace memplug
