// SPDX-License-Identifier: MIT
// The judgement of each fact, and the command that mends it.
#include "doctor/diagnosis.hpp"

#include <algorithm>
#include <cerrno>

#include "machine/watermarks.hpp"
#include "memplug.h"
#include "process/shell_word.hpp"
#include "words/names.hpp"

namespace memplug {
namespace {

// Whole MiB: nobody cares for the rest of such a size.
std::string print_roughly(Bytes size) {
  constexpr std::uint64_t mib = 1 << 20;
  return print_size(Bytes{size.value / mib * mib});
}

class Doctor {
 public:
  Doctor(const MachineFacts& facts, const DeviceAnswer& device, std::string_view tool_version)
      : facts_(facts), device_(device), tool_version_(tool_version) {}

  [[nodiscard]] Check config() const {
    std::vector<std::string> missing = facts_.missing;
    std::string from = facts_.config_path;
    if (missing.empty() && !(facts_.exports_claims && facts_.has_memory_blocks)) {
      missing.emplace_back(facts_.has_memory_blocks ? "CONFIG_CONTIG_ALLOC"
                                                    : "CONFIG_MEMORY_HOTPLUG");
      from = "the running kernel";
    }
    if (!missing.empty()) {
      std::string names;
      for (const std::string& option : missing) {
        names += (names.empty() ? "" : ", ") + option;
      }
      return {"config", Verdict::Failed,
              "this kernel lacks " + names + " (says " + from +
                  "); boot another, or build one, in its source with",
              "scripts/config -e MODULES -e MEMORY_HOTPLUG -e MEMORY_HOTREMOVE -e COMPACTION"};
    }
    return {"config", Verdict::Ok,
            from.empty() ? "no file tells it, but the running kernel has what is needed"
                         : "all that is needed (says " + from + ")",
            ""};
  }

  [[nodiscard]] Check memory() const {
    if (facts_.normal_zones.empty() && device_.info && device_.info->low_managed != Bytes{}) {
      return {
          "memory", Verdict::Ok,
          "no ZONE_NORMAL, and " + print_roughly(device_.info->low_managed) + " below it managed",
          ""};
    }
    if (facts_.normal_zones.empty()) {
      return {"memory", Verdict::Failed,
              print_roughly(facts_.memory) +
                  ", none of it in ZONE_NORMAL, the only zone that memplug takes from unless it is "
                  "told to",
              "load the module with zones=normal,dma32; or give the machine more memory, on x86-64 "
              "more than 4 GiB; a QEMU guest: -m 6G"};
    }
    std::string found = "ZONE_NORMAL has ";
    for (const NormalZone& zone : facts_.normal_zones) {
      found += (&zone == facts_.normal_zones.data() ? "" : ", ") + print_roughly(zone.managed) +
               " on node " + std::to_string(zone.node);
    }
    if (facts_.brings_online_movable) {
      return {"memory", Verdict::Warning,
              found + "; memory that is added goes to ZONE_MOVABLE, where memplug takes nothing",
              "echo online_kernel | " + as_root("tee") +
                  " /sys/devices/system/memory/auto_online_blocks"};
    }
    return {"memory", Verdict::Ok, found, ""};
  }

  [[nodiscard]] Check module() const {
    if (!facts_.loaded_version) {
      return not_loaded();
    }
    if (*facts_.loaded_version != tool_version_) {
      return {"module", Verdict::Warning,
              "loaded, version " + *facts_.loaded_version + ", but this tool is of " +
                  std::string(tool_version_) + ": load the module that belongs to it instead",
              as_root("rmmod") + " memplug"};
    }
    return {"module", Verdict::Ok, "loaded, version " + *facts_.loaded_version, ""};
  }

  [[nodiscard]] Check device() const {
    if (device_.info) {
      const bool managed = device_.info->managed.value > 0;
      return {"device", managed ? Verdict::Ok : Verdict::Failed,
              "it answers: " + print_size(device_.info->managed) + " managed, " +
                  print_size(device_.info->unplugged) + " unplugged",
              managed ? "" : "dmesg | grep memplug"};
    }
    if (!facts_.loaded_version) {
      return {"device", Verdict::Unknown, "none before the module is loaded", ""};
    }
    if (device_.error_number == ENOENT && facts_.device_number && !facts_.has_node) {
      std::string number = *facts_.device_number;
      std::replace(number.begin(), number.end(), ':', ' ');
      return {"device", Verdict::Failed, device_.message,
              as_root("mknod") + " -m 600 /dev/" MEMPLUG_DEVICE_NAME " c " + number};
    }
    return {"device", Verdict::Failed, device_.message,
            refused() ? "sudo memplugctl doctor" : device_.step};
  }

  [[nodiscard]] Check rights() const {
    if (!facts_.can_administer) {
      return {
          "rights", Verdict::Failed,
          "CAP_SYS_ADMIN is missing, so nothing can be changed; root in a container may lack it",
          "sudo memplugctl doctor"};
    }
    return {"rights", Verdict::Ok, "CAP_SYS_ADMIN", ""};
  }

  // The kernel computes them from a zone's size, and not anew when memory leaves it or comes back.
  [[nodiscard]] Check watermarks() const {
    if (facts_.watermark_scale == 0) {
      return {"watermarks", Verdict::Unknown, "vm.watermark_scale_factor can't be read", ""};
    }
    std::string found;
    for (const NormalZone& zone : facts_.normal_zones) {
      const Bytes size = size_of_watermarks(zone);
      const std::uint64_t larger = std::max(size.value, zone.managed.value);
      const std::uint64_t difference = larger - std::min(size.value, zone.managed.value);
      // What boot has freed since the kernel computed them is no matter.
      if (difference >= std::max(least_for_watermarks.value, larger / 8)) {
        found += (found.empty() ? "" : "; ") + std::string("ZONE_NORMAL of node ") +
                 std::to_string(zone.node) + " has those of a zone of " + print_roughly(size) +
                 ", and is one of " + print_roughly(zone.managed);
      }
    }
    if (found.empty()) {
      return {"watermarks", Verdict::Ok, "those of zones of their size", ""};
    }
    return {
        "watermarks", Verdict::Warning, found,
        as_root("sysctl") + " vm.watermark_scale_factor=" + std::to_string(facts_.watermark_scale)};
  }

  [[nodiscard]] Check others() const {
    if (facts_.others.empty()) {
      return {"others", Verdict::Ok, "no other driver takes memory out of this machine", ""};
    }
    std::string found;
    for (const OtherDriver other : facts_.others) {
      found += (found.empty() ? "" : ", ") + std::string(other_name(other));
    }
    return {"others", Verdict::Warning, "at work, too: " + found + "; neither knows of the other",
            removal(facts_.others.front())};
  }

 private:
  [[nodiscard]] std::string as_root(const std::string& command) const {
    return (facts_.can_administer ? "" : "sudo ") + command;
  }

  // How large the zone was for which the kernel computed these; as large as it is, if that can't be
  // told.
  [[nodiscard]] Bytes size_of_watermarks(const NormalZone& zone) const {
    constexpr std::uint64_t whole = 10000;
    const std::uint64_t distance =
        std::max(zone.low_watermark, zone.min_watermark).value - zone.min_watermark.value;
    if (distance > zone.min_watermark.value / 4) {
      return Bytes{distance / facts_.watermark_scale * whole +
                   distance % facts_.watermark_scale * whole / facts_.watermark_scale};
    }
    const std::uint64_t boost = zone.boost.value_or(Bytes{}).value;
    const std::uint64_t share =
        zone.min_watermark.value - std::min(zone.min_watermark.value, boost);
    // Of several that have changed none can be told apart from the others.
    if (!zone.boost || facts_.has_movable_zone || facts_.normal_zones.size() > 1 ||
        share >= facts_.min_free.value) {
      return zone.managed;
    }
    // The others had the rest of vm.min_free_kbytes.
    const auto others = static_cast<double>(facts_.in_all_zones.value - zone.managed.value);
    return Bytes{static_cast<std::uint64_t>(
        static_cast<double>(share) / static_cast<double>(facts_.min_free.value - share) * others)};
  }

  [[nodiscard]] bool refused() const {
    return device_.error_number == EACCES || device_.error_number == EPERM;
  }

  [[nodiscard]] Check not_loaded() const {
    const auto failed = [](const std::string& found, const std::string& next) {
      return Check{"module", Verdict::Failed, "not loaded: " + found, next};
    };
    if (!facts_.loads_modules) {
      return failed("kernel.modules_disabled is 1, for as long as this kernel runs",
                    "reboot, and load it before that is set");
    }
    if (!facts_.module_file) {
      return failed(
          "no memplug.ko is installed below /lib/modules; build one in memplug's source, and name "
          "it with --module",
          build());
    }
    const ModuleFile& file = *facts_.module_file;
    if (!file.release) {
      return failed(file.path + " is no kernel module; build one in memplug's source", build());
    }
    if (*file.release != facts_.release) {
      return failed(file.path + " is built for " + *file.release + ", and this is " +
                        facts_.release + "; build one in memplug's source",
                    build());
    }
    if (facts_.wants_signatures && !file.is_signed.value_or(true)) {
      return failed(file.path +
                        " is not signed, and this kernel takes signed modules only; sign it "
                        "with a key that 'mokutil --import' has enrolled",
                    "/lib/modules/" + facts_.release +
                        "/build/scripts/sign-file sha256 KEY CERTIFICATE " + shell_path(file.path));
    }
    // Who has signed it, and whether this machine knows the key, can't be seen from outside.
    const std::string signature = facts_.wants_signatures
                                      ? "; if the kernel does not take its signature, 'mokutil "
                                        "--import' has to enroll the key, "
                                        "with DKMS that of /var/lib/dkms/mok.pub"
                                      : "";
    return failed(file.path + " is fit to be" + signature,
                  file.installed ? as_root("modprobe") + " memplug"
                                 : as_root("insmod") + " " + shell_path(file.path));
  }

  // In memplug's source.
  [[nodiscard]] std::string build() const {
    return facts_.has_headers
               ? "make -C /lib/modules/" + facts_.release + "/build M=$PWD clean modules"
               : as_root("apt") + " install linux-headers-" + facts_.release;
  }

  // Xen's is no module.
  [[nodiscard]] std::string removal(OtherDriver other) const {
    return other == OtherDriver::XenBalloon
               ? "use one of the two only"
               : as_root("rmmod") + " " + std::string(other_name(other));
  }

  const MachineFacts& facts_;
  const DeviceAnswer& device_;
  std::string_view tool_version_;
};

}  // namespace

bool Diagnosis::fit() const {
  return std::none_of(checks.begin(), checks.end(),
                      [](const Check& check) { return check.verdict == Verdict::Failed; });
}

std::string_view Diagnosis::next() const {
  for (const Verdict verdict : {Verdict::Failed, Verdict::Warning}) {
    const auto check = std::find_if(checks.begin(), checks.end(),
                                    [verdict](const Check& one) { return one.verdict == verdict; });
    if (check != checks.end()) {
      return check->next;
    }
  }
  return "";
}

Diagnosis diagnose(const MachineFacts& facts, const DeviceAnswer& device,
                   std::string_view tool_version) {
  const Doctor doctor(facts, device, tool_version);
  return {facts.release,
          {doctor.config(), doctor.memory(), doctor.module(), doctor.device(), doctor.rights(),
           doctor.others(), doctor.watermarks()}};
}

}  // namespace memplug
