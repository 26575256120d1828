// SPDX-License-Identifier: MIT
// What a machine's files tell of its kernel, its memory and the module, before there is a device to
// ask. Reads only; judges nothing.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "memplug/device.hpp"

namespace memplug {

// A memplug.ko, as far as its file tells.
struct ModuleFile {
  std::string path;
  std::optional<std::string> release;  // of the kernel that it was built for; none: not told
  std::optional<bool> is_signed;       // none: it is packed, and does not tell
  bool installed = false;              // where modprobe finds it
};

struct NormalZone {
  int node = 0;
  Bytes managed;
  // Below the second kswapd is woken. It lies above the first by a share of the zone's size, or of
  // the first, whichever is more; the first is the zone's share of vm.min_free_kbytes.
  Bytes min_watermark;
  Bytes low_watermark;
  std::optional<Bytes> boost;  // what is on top of both for the moment; none: not told
};

struct MachineFacts {
  std::string release;
  std::string config_path;           // empty: the kernel's configuration is nowhere to be found
  std::vector<std::string> missing;  // what memplug needs and that configuration does not have
  bool exports_claims = true;        // the running kernel has alloc_contig_range()
  bool has_memory_blocks = true;     // the running kernel knows memory hotplug
  bool has_headers = false;
  bool loads_modules = true;
  bool wants_signatures = false;
  std::optional<ModuleFile> module_file;
  std::optional<std::string> loaded_version;  // of the module; none: not loaded
  std::optional<std::string> device_number;   // "10:121", once it is loaded
  bool has_node = false;                      // /dev/memplug
  bool can_administer = false;                // CAP_SYS_ADMIN
  Bytes memory;
  std::vector<NormalZone> normal_zones;  // those with memory
  std::uint64_t watermark_scale = 0;     // vm.watermark_scale_factor; 0: not told
  Bytes min_free;                        // vm.min_free_kbytes
  Bytes in_all_zones;                    // managed by the kernel
  bool has_movable_zone = false;
  std::vector<OtherDriver> others;
  bool brings_online_movable = false;  // memory that is added goes to ZONE_MOVABLE
};

// Where to look: tests give it a root of their own.
class Machine {
 public:
  explicit Machine(std::string root) : root_(std::move(root)) {}

  // module_path: the memplug.ko to look at; empty: the one that is installed.
  [[nodiscard]] MachineFacts read(const std::string& module_path) const;

 private:
  [[nodiscard]] std::string at(std::string_view path) const { return root_ + std::string(path); }
  void read_config(MachineFacts& facts) const;
  void read_memory(MachineFacts& facts) const;
  [[nodiscard]] std::optional<ModuleFile> find_module(const std::string& given,
                                                      const std::string& release) const;

  std::string root_;
};

}  // namespace memplug
