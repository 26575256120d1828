// SPDX-License-Identifier: MIT
// Other drivers in sysfs: at work, only loaded, and in folders that are not as they should be.
#include "other_drivers.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "sysfs_tree.hpp"

namespace memplug::test {
namespace {

namespace fs = std::filesystem;

using Drivers = std::vector<OtherDriver>;

constexpr const char* balloon = "virtio/drivers/virtio_balloon";

class OtherDriversTest : public testing::Test {
 protected:
  [[nodiscard]] Drivers at_work() const { return drivers_at_work(sysfs_.root()); }

  SysfsTree sysfs_;
};

TEST_F(OtherDriversTest, ThereMayBeNone) { EXPECT_EQ(at_work(), Drivers{}); }

TEST_F(OtherDriversTest, WithoutSysfsNoneAreKnown) {
  EXPECT_EQ(drivers_at_work("/nonexistent/sys"), Drivers{});
  EXPECT_EQ(drivers_at_work("/dev/null"), Drivers{});
}

TEST_F(OtherDriversTest, ThoseWithADeviceAreAtWork) {
  fs::create_directories(sysfs_.root() + "/devices/system/xen_memory/xen_memory0");
  sysfs_.bind("vmbus/drivers/hv_balloon", "1eccfd72-4b41-45ef-b73a-4a6e44c12924");
  sysfs_.bind(balloon, "virtio0");
  sysfs_.bind("virtio/drivers/virtio_mem", "virtio1");
  EXPECT_EQ(at_work(), (Drivers{OtherDriver::VirtioMem, OtherDriver::VirtioBalloon,
                                OtherDriver::HvBalloon, OtherDriver::XenBalloon}));
}

TEST_F(OtherDriversTest, SeveralDevicesAreOneDriver) {
  sysfs_.bind("virtio/drivers/virtio_mem", "virtio1");
  fs::create_directory_symlink("../../../../devices/virtio2",
                               sysfs_.root() + "/bus/virtio/drivers/virtio_mem/virtio2");
  EXPECT_EQ(at_work(), Drivers{OtherDriver::VirtioMem});
}

TEST_F(OtherDriversTest, LoadedOnlyIsNotAtWork) {
  const std::string folder = sysfs_.load(balloon);
  for (const char* file : {"bind", "unbind", "uevent"}) {
    std::ofstream(folder + "/" + file) << "";
  }
  EXPECT_EQ(at_work(), Drivers{});
}

TEST_F(OtherDriversTest, DriversThatTakeNoMemoryAreNoMatter) {
  sysfs_.bind("virtio/drivers/virtio_net", "virtio0");
  sysfs_.bind("pci/drivers/virtio_mem", "virtio0");
  sysfs_.bind("virtio/drivers/virtio_mem_too", "virtio0");
  fs::create_directories(sysfs_.root() + "/devices/system/xen_memory");
  EXPECT_EQ(at_work(), Drivers{});
}

// A name is never printed, nor taken for a path.
TEST_F(OtherDriversTest, NamesOfDevicesAreNoMatter) {
  for (const std::string name :
       {"-", "...", "module ", "modules", "a\nb", "\x1b[2J", "%s", "\xff\xfe"}) {
    const SysfsTree sysfs;
    sysfs.bind(balloon, name);
    EXPECT_EQ(drivers_at_work(sysfs.root()), Drivers{OtherDriver::VirtioBalloon}) << name;
  }
  const SysfsTree sysfs;
  sysfs.bind(balloon, std::string(255, 'x'));
  EXPECT_EQ(drivers_at_work(sysfs.root()), Drivers{OtherDriver::VirtioBalloon});
}

// Only links are devices, wherever they lead.
TEST_F(OtherDriversTest, FilesAndFoldersAreNoDevices) {
  const std::string folder = sysfs_.load(balloon);
  std::ofstream(folder + "/virtio0") << "virtio1\n";
  fs::create_directories(folder + "/virtio1/virtio2");
  ASSERT_EQ(::mkfifo((folder + "/virtio3").c_str(), 0600), 0);
  EXPECT_EQ(at_work(), Drivers{});
  fs::create_symlink("virtio4", folder + "/virtio4");
  EXPECT_EQ(at_work(), Drivers{OtherDriver::VirtioBalloon});
}

TEST_F(OtherDriversTest, WhatIsNoFolderIsNoDriver) {
  fs::create_directories(sysfs_.root() + "/bus/virtio/drivers");
  fs::create_directories(sysfs_.root() + "/devices/system/xen_memory");
  std::ofstream(sysfs_.root() + "/devices/system/xen_memory/xen_memory0") << "1\n";
  ASSERT_EQ(::mkfifo((sysfs_.root() + "/bus/" + balloon).c_str(), 0600), 0);
  fs::create_symlink("virtio_mem", sysfs_.root() + "/bus/virtio/drivers/virtio_mem");
  EXPECT_EQ(at_work(), Drivers{});
}

TEST_F(OtherDriversTest, WhatCanNotBeReadIsNotKnown) {
  sysfs_.bind("virtio/drivers/virtio_mem", "virtio1");
  sysfs_.bind(balloon, "virtio0");
  const std::string hidden = sysfs_.root() + "/bus/virtio/drivers/virtio_mem";
  ASSERT_EQ(::chmod(hidden.c_str(), 0), 0);
  const Drivers seen = at_work();
  ASSERT_EQ(::chmod(hidden.c_str(), 0700), 0);
  // Nothing is hidden from root.
  EXPECT_EQ(seen, ::geteuid() == 0 ? (Drivers{OtherDriver::VirtioMem, OtherDriver::VirtioBalloon})
                                   : Drivers{OtherDriver::VirtioBalloon});
}

}  // namespace
}  // namespace memplug::test
