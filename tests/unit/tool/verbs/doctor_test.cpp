// SPDX-License-Identifier: MIT
// The verb doctor, on machines that are folders with the files that it reads.
#include <gtest/gtest.h>
#include <cerrno>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "fake_channel.hpp"
#include "memplug/failure.hpp"
#include "temporary_folder.hpp"
#include "verbs/doctor.hpp"

namespace memplug::test {
namespace {

namespace fs = std::filesystem;

constexpr const char* release = "6.1.0-9-amd64";
constexpr const char* good_config =
    "CONFIG_64BIT=y\nCONFIG_MODULES=y\nCONFIG_MEMORY_HOTPLUG=y\nCONFIG_CONTIG_ALLOC=y\n";

// A machine on which everything is as it should be; tests take something away.
class Doctor : public testing::Test {
 public:
  Doctor() {
    write("/proc/sys/kernel/osrelease", std::string(release) + "\n");
    write("/boot/config-" + std::string(release), good_config);
    write("/proc/kallsyms", "0000000000000000 T alloc_contig_range\n");
    write("/proc/meminfo", "MemTotal:        6065368 kB\n");
    write("/proc/zoneinfo", "Node 0, zone    DMA32\n        managed 500000\n" +
                                normal_zone(2000, 3000, 1000000) +
                                "Node 1, zone   Normal\n        managed 0\n");
    write("/proc/sys/vm/watermark_scale_factor", "10\n");
    write("/proc/sys/vm/min_free_kbytes", "12000\n");
    write("/proc/self/status", "Name:\tx\nCapPrm:\t000001ffffffffff\nCapEff:\t000001ffffffffff\n");
    write("/sys/devices/system/memory/block_size_bytes", "8000000\n");
    write("/sys/devices/system/memory/auto_online_blocks", "online\n");
    write("/sys/module/memplug/version", MEMPLUG_VERSION "\n");
    write("/sys/class/misc/memplug/dev", "10:121\n");
    write("/lib/modules/" + std::string(release) + "/build/Makefile", "");
    module_.info.out_managed_size = 4 * gib;
  }

 protected:
  // In pages.
  static std::string normal_zone(int min, int low, int managed) {
    return "Node 0, zone   Normal\n  pages free     9\n        boost    0\n        min      " +
           std::to_string(min) + "\n        low      " + std::to_string(low) +
           "\n        high     9000\n        spanned  1048576\n        managed  " +
           std::to_string(managed) + "\n        cma      0\n";
  }
  void write(const std::string& path, const std::string& text) const { tree_.write(path, text); }
  void remove(const std::string& path) const { tree_.remove(path); }
  void link_device(const std::string& driver) const {
    fs::create_directories(root_ + driver);
    fs::create_directory_symlink("../../../../devices/x", root_ + driver + "/x0");
  }
  void unload() {
    remove("/sys/module/memplug");
    remove("/sys/class/misc/memplug");
    refuse(ENOENT, "cannot open /dev/memplug: No such file or directory");
  }
  void refuse(int error_number, const std::string& message) {
    open_ = [error_number, message](Access /*access*/) -> Device {
      throw Failure(error_number, message, "do this");
    };
  }
  void make_module(const std::string& path, const std::string& built_for, bool is_signed) const {
    write(path, std::string("\x7f"
                            "ELF\0vermagic=",
                            14) +
                    built_for + " SMP preempt mod_unload" + std::string(1, '\0') +
                    (is_signed ? "~Module signature appended~\n" : ""));
  }

  nlohmann::json examine(ExitStatus expected) {
    Captured captured;
    captured.output.style.json = true;
    EXPECT_EQ(run_doctor(options_, open_, Machine(root_), captured.output), expected);
    auto json = nlohmann::json::parse(captured.data());
    EXPECT_EQ(json["fit"], expected == ExitStatus::Success);
    return json;
  }

  static nlohmann::json check(const nlohmann::json& diagnosis, const std::string& name) {
    for (const auto& one : diagnosis["checks"]) {
      if (one["name"] == name) {
        return one;
      }
    }
    ADD_FAILURE() << "no check " << name;
    return {};
  }

  // The one check that is not as it should be, and what is to be done.
  void expect(const std::string& name, const std::string& verdict, const std::string& next) {
    const bool failed = verdict == "failed";
    const auto json = examine(failed ? ExitStatus::Failure : ExitStatus::Success);
    EXPECT_EQ(check(json, name)["verdict"], verdict) << json.dump(1);
    EXPECT_EQ(check(json, name)["next"], next);
    EXPECT_EQ(json["next"], next);
  }

  // What one check of a machine that is not fit says.
  std::string found(const std::string& name) {
    return check(examine(ExitStatus::Failure), name)["found"];
  }

  TemporaryFolder tree_;
  const std::string& root_ = tree_.root();
  FakeModule module_;
  OpenDevice open_ = opener(module_);
  DoctorOptions options_;
};

TEST_F(Doctor, FindsNothingWrong) {
  const auto json = examine(ExitStatus::Success);
  EXPECT_EQ(json["kernel"], release);
  EXPECT_EQ(json["next"], nullptr);
  EXPECT_EQ(json["checks"].size(), 7U);
  for (const auto& one : json["checks"]) {
    EXPECT_EQ(one["verdict"], "ok") << one.dump();
    EXPECT_EQ(one["next"], nullptr);
  }
  EXPECT_EQ(check(json, "memory")["found"], "ZONE_NORMAL has 3906 MiB on node 0");
}

TEST_F(Doctor, ReadsAsText) {
  Captured captured;
  remove("/proc/zoneinfo");
  EXPECT_EQ(run_doctor(options_, open_, Machine(root_), captured.output), ExitStatus::Failure);
  EXPECT_NE(captured.data().find("\nmemory      failed   "), std::string::npos) << captured.data();
  EXPECT_NE(captured.data().find("\nnext: load the module with zones=normal,dma32; or give the "
                                 "machine more memory"),
            std::string::npos)
      << captured.data();
}

constexpr const char* build_a_kernel =
    "scripts/config -e MODULES -e MEMORY_HOTPLUG -e MEMORY_HOTREMOVE -e COMPACTION";

TEST_F(Doctor, NamesWhatTheConfigurationLacks) {
  write("/boot/config-" + std::string(release),
        "CONFIG_64BIT=y\nCONFIG_MODULES=y\nCONFIG_MEMORY_HOTPLUG=y\n# CONFIG_CONTIG_ALLOC is not "
        "set\n");
  expect("config", "failed", build_a_kernel);
  EXPECT_NE(check(examine(ExitStatus::Failure), "config")["found"].get<std::string>().find(
                "CONFIG_CONTIG_ALLOC (says /boot/config-"),
            std::string::npos);
}

TEST_F(Doctor, AsksTheRunningKernelWithoutAConfiguration) {
  remove("/boot");
  EXPECT_EQ(check(examine(ExitStatus::Success), "config")["verdict"], "ok");
  write("/proc/kallsyms", "0000000000000000 T alloc_pages\n");
  expect("config", "failed", build_a_kernel);
  write("/proc/kallsyms", "0000000000000000 T alloc_contig_range_noprof\n");
  remove("/sys/devices/system/memory");
  expect("config", "failed", build_a_kernel);
}

TEST_F(Doctor, WantsZoneNormal) {
  write("/proc/zoneinfo", "Node 0, zone    DMA32\n        managed 500000\n");
  expect("memory", "failed",
         "load the module with zones=normal,dma32; or give the machine more memory, on x86-64 more "
         "than 4 GiB; a QEMU guest: -m 6G");
}

TEST_F(Doctor, IsContentWithWhatIsManagedBelowZoneNormal) {
  write("/proc/zoneinfo", "Node 0, zone    DMA32\n        managed 500000\n");
  module_.info.out_low_managed_size = gib;
  const auto json = examine(ExitStatus::Success);
  EXPECT_EQ(check(json, "memory")["verdict"], "ok");
  EXPECT_EQ(check(json, "memory")["found"], "no ZONE_NORMAL, and 1 GiB below it managed");
}

TEST_F(Doctor, WarnsOfMemoryThatComesOnlineMovable) {
  write("/sys/devices/system/memory/auto_online_blocks", "online_movable\n");
  expect("memory", "warning",
         "echo online_kernel | tee /sys/devices/system/memory/auto_online_blocks");
}

TEST_F(Doctor, LoadsTheModuleThatIsInstalled) {
  unload();
  write("/lib/modules/" + std::string(release) + "/updates/dkms/memplug.ko.xz", "packed");
  expect("module", "failed", "modprobe memplug");
  EXPECT_EQ(found("module").find("mokutil"), std::string::npos);
  // Whether it is signed, and by whom, can't be seen from outside.
  write("/sys/module/module/parameters/sig_enforce", "Y\n");
  expect("module", "failed", "modprobe memplug");
  EXPECT_NE(found("module").find("'mokutil --import' has to enroll the key"), std::string::npos);
}

TEST_F(Doctor, LoadsTheModuleThatIsGiven) {
  unload();
  make_module("/tmp/memplug.ko", release, false);
  options_.module_path = root_ + "/tmp/memplug.ko";
  expect("module", "failed", "insmod " + root_ + "/tmp/memplug.ko");
  write("/proc/self/status", "CapEff:\t0000000000000000\n");
  expect("module", "failed", "sudo insmod " + root_ + "/tmp/memplug.ko");
}

TEST_F(Doctor, QuotesThePathForAShell) {
  unload();
  make_module("/tmp/it's a module.ko", release, false);
  options_.module_path = root_ + "/tmp/it's a module.ko";
  const std::string quoted = "'" + root_ + "/tmp/it'\\''s a module.ko'";
  expect("module", "failed", "insmod " + quoted);
  EXPECT_NE(found("module").find("/tmp/it's a module.ko is fit"), std::string::npos);
  write("/sys/module/module/parameters/sig_enforce", "Y\n");
  expect("module", "failed",
         "/lib/modules/6.1.0-9-amd64/build/scripts/sign-file sha256 KEY CERTIFICATE " + quoted);
}

TEST_F(Doctor, BuildsTheModuleWhereThereIsNone) {
  unload();
  expect("module", "failed", "make -C /lib/modules/6.1.0-9-amd64/build M=$PWD clean modules");
  remove("/lib/modules");
  expect("module", "failed", "apt install linux-headers-6.1.0-9-amd64");
}

TEST_F(Doctor, BuildsTheModuleForThisKernel) {
  unload();
  make_module("/lib/modules/6.1.0-8-amd64/extra/memplug.ko", "6.1.0-8-amd64", false);
  expect("module", "failed", "make -C /lib/modules/6.1.0-9-amd64/build M=$PWD clean modules");
  EXPECT_NE(check(examine(ExitStatus::Failure), "module")["found"].get<std::string>().find(
                "is built for 6.1.0-8-amd64, and this is 6.1.0-9-amd64"),
            std::string::npos);
}

TEST_F(Doctor, SignsTheModuleWhereTheKernelWantsThat) {
  unload();
  make_module("/tmp/memplug.ko", release, false);
  options_.module_path = root_ + "/tmp/memplug.ko";
  const std::string sign =
      "/lib/modules/6.1.0-9-amd64/build/scripts/sign-file sha256 KEY CERTIFICATE " +
      *options_.module_path;
  write("/sys/kernel/security/lockdown", "none [integrity] confidentiality\n");
  expect("module", "failed", sign);
  remove("/sys/kernel/security");
  write("/sys/module/module/parameters/sig_enforce", "Y\n");
  expect("module", "failed", sign);
  make_module("/tmp/memplug.ko", release, true);
  expect("module", "failed", "insmod " + *options_.module_path);
}

TEST_F(Doctor, KnowsThatNoModuleCanBeLoaded) {
  unload();
  write("/proc/sys/kernel/modules_disabled", "1\n");
  expect("module", "failed", "reboot, and load it before that is set");
}

TEST_F(Doctor, TakesNoOtherFileForAModule) {
  unload();
  options_.module_path = root_ + "/proc/meminfo";
  expect("module", "failed", "make -C /lib/modules/6.1.0-9-amd64/build M=$PWD clean modules");
  options_.module_path = "";
  EXPECT_THROW(examine(ExitStatus::Failure), UsageError);
}

TEST_F(Doctor, WarnsOfAModuleOfAnotherVersion) {
  write("/sys/module/memplug/version", "0.0.1\n");
  expect("module", "warning", "rmmod memplug");
}

TEST_F(Doctor, MakesTheNodeThatIsMissing) {
  refuse(ENOENT, "cannot open /dev/memplug: No such file or directory");
  expect("device", "failed", "mknod -m 600 /dev/memplug c 10 121");
  // It was another one that is not there.
  write("/dev/memplug", "");
  expect("device", "failed", "do this");
}

TEST_F(Doctor, AsksForRights) {
  write("/proc/self/status", "CapEff:\t0000000000000000\n");
  refuse(EACCES, "cannot open /dev/memplug: Permission denied");
  expect("device", "failed", "sudo memplugctl doctor");
  open_ = opener(module_);
  expect("rights", "failed", "sudo memplugctl doctor");
}

TEST_F(Doctor, TellsWhyTheDeviceDoesNotAnswer) {
  refuse(EPROTONOSUPPORT, "the module speaks ABI version 9, this tool 1");
  expect("device", "failed", "do this");
  EXPECT_EQ(check(examine(ExitStatus::Failure), "device")["found"],
            "the module speaks ABI version 9, this tool 1");
}

TEST_F(Doctor, WantsSomethingToBeManaged) {
  module_.info.out_managed_size = 0;
  expect("device", "failed", "dmesg | grep memplug");
}

TEST_F(Doctor, WarnsOfOtherDrivers) {
  fs::create_directories(root_ + "/sys/bus/virtio/drivers/virtio_balloon");
  fs::create_directory_symlink("../../../../module/virtio_balloon",
                               root_ + "/sys/bus/virtio/drivers/virtio_balloon/module");
  EXPECT_EQ(check(examine(ExitStatus::Success), "others")["verdict"], "ok");
  link_device("/sys/bus/virtio/drivers/virtio_balloon");
  expect("others", "warning", "rmmod virtio_balloon");
  link_device("/sys/bus/virtio/drivers/virtio_mem");
  EXPECT_EQ(check(examine(ExitStatus::Success), "others")["found"],
            "at work, too: virtio_mem, virtio_balloon; neither knows of the other");
}

TEST_F(Doctor, WarnsOfXensBalloon) {
  write("/sys/devices/system/xen_memory/xen_memory0/target", "1\n");
  expect("others", "warning", "use one of the two only");
}

TEST_F(Doctor, WatermarksOfAnotherSize) {
  const std::string rest = "Node 0, zone    DMA32\n        managed  500000\n";
  const auto verdict_of = [&](const std::string& zone) {
    write("/proc/zoneinfo", zone + rest);
    return check(examine(ExitStatus::Success), "watermarks")["verdict"];
  };
  // By the distance: a thousandth of the zone's size.
  EXPECT_EQ(verdict_of(normal_zone(2000, 3000, 1000000)), "ok");
  EXPECT_EQ(verdict_of(normal_zone(2000, 3000, 990000)), "ok") << "hardly another";
  EXPECT_EQ(verdict_of(normal_zone(2000, 3000, 500000)), "warning") << "much is unplugged";
  EXPECT_EQ(verdict_of(normal_zone(2000, 2600, 1000000)), "warning") << "much is back";
  // By the zone's share of what is to be free in all: 2000 of 3000 pages.
  EXPECT_EQ(verdict_of(normal_zone(2000, 2500, 1000000)), "ok");
  EXPECT_EQ(verdict_of(normal_zone(2000, 2500, 300000)), "warning");
  EXPECT_EQ(verdict_of("Node 0, zone  Movable\n        managed  500000\n" +
                       normal_zone(2000, 2500, 300000)),
            "ok")
      << "can't be told";
  EXPECT_EQ(verdict_of("Node 1, zone   Normal\n        managed  500000\n" +
                       normal_zone(2000, 2500, 300000)),
            "ok")
      << "nor here";
  write("/proc/zoneinfo", normal_zone(2000, 3000, 500000) + rest);
  expect("watermarks", "warning", "sysctl vm.watermark_scale_factor=10");
  EXPECT_EQ(check(examine(ExitStatus::Success), "watermarks")["found"],
            "ZONE_NORMAL of node 0 has those of a zone of 3906 MiB, and is one of 1953 MiB");
  remove("/proc/sys/vm/watermark_scale_factor");
  EXPECT_EQ(check(examine(ExitStatus::Success), "watermarks")["verdict"], "unknown");
}

// What failed comes before what only warns.
TEST_F(Doctor, SaysFirstWhatFailed) {
  write("/sys/devices/system/memory/auto_online_blocks", "online_movable\n");
  unload();
  const auto json = examine(ExitStatus::Failure);
  EXPECT_EQ(json["next"], check(json, "module")["next"]);
  EXPECT_EQ(check(json, "device")["verdict"], "unknown");
}

}  // namespace
}  // namespace memplug::test
