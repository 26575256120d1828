// SPDX-License-Identifier: MIT
// What the verbs that change memory read and write of the machine beside the device.
#pragma once

#include <string>

#include "machine/commit_limit.hpp"
#include "machine/meminfo.hpp"
#include "machine/slab_reclaim.hpp"
#include "machine/watermarks.hpp"
#include "machine/zone_names.hpp"

namespace memplug {

struct Surroundings {
  Watermarks watermarks;
  CommitLimit commit_limit;
  ZoneNames zones;
  SlabReclaim slab;
  Meminfo meminfo;
  std::string saved_target;  // where modprobe reads which one the module begins with

  // Where /proc and /sys are: tests give it a root of their own.
  explicit Surroundings(const std::string& root)
      : watermarks(root + "/proc/sys/vm/watermark_scale_factor"),
        commit_limit(root),
        zones(root),
        slab(root + "/proc/sys/vm/drop_caches"),
        meminfo(root),
        saved_target(root + "/etc/modprobe.d/memplug-target.conf") {}
};

}  // namespace memplug
