// SPDX-License-Identifier: MIT
// Holds memplug's account against the kernel's: KPF_OFFLINE in /proc/kpageflags, MemTotal and each
// zone's managed count must say the same as INFO, NODES and LIST, to the page.
//
//   kpf save FILE    keep what MemTotal and the zones would be with nothing unplugged
//   kpf check FILE   compare all accounts with each other and with FILE; 1 if any disagrees
//   kpf left BYTES   print how many bytes could still be claimed, in blocks of so many
//   kpf free PFN NR  print how many of these page frames the buddy allocator has, free
//   kpf others       print how many bytes have KPF_OFFLINE that memplug does not hold; 1 if one
//                    that it holds has not
#include <linux/kernel-page-flags.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <string>
#include <utility>

#include "memplug_device.hpp"
#include "pageblocks.hpp"
#include "zoneinfo.hpp"

namespace {

using lab::die;

constexpr std::uint64_t page_size = 4096;
constexpr std::uint64_t kib = 1024;

// What the kernel counts, with memplug's share added back: constant while nothing is hotplugged.
struct Baseline {
  std::uint64_t memtotal_kib = 0;
  std::map<std::pair<int, std::string>, std::uint64_t> managed_pages;  // by node and zone

  bool operator==(const Baseline&) const = default;
};

// Whose all of a range is.
const lab::Zone& zone_of(const std::vector<lab::Zone>& zones, const memplug_range& range) {
  const auto zone = std::find_if(zones.begin(), zones.end(), [&](const lab::Zone& candidate) {
    return candidate.node == range.node &&
           candidate.spans(range.start / page_size, range.length / page_size);
  });
  if (zone == zones.end()) {
    die("range at %#llx is inside neither ZONE_NORMAL nor ZONE_DMA32 of node %d",
        static_cast<unsigned long long>(range.start), range.node);
  }
  return *zone;
}

Baseline measure(const lab::Device& device) {
  Baseline now;
  now.memtotal_kib = lab::memtotal_kib() + device.info().out_unplugged_size / kib;
  const std::vector<lab::Zone> zones = lab::takeable_zones();
  for (const lab::Zone& zone : zones) {
    now.managed_pages[{zone.node, zone.name}] = zone.managed;
  }
  for (const memplug_range& range : device.list()) {
    const lab::Zone& zone = zone_of(zones, range);
    now.managed_pages[{zone.node, zone.name}] += range.length / page_size;
  }
  return now;
}

void save(const char* path, const Baseline& baseline) {
  std::ofstream file(path);
  file << baseline.memtotal_kib << '\n';
  for (const auto& [place, pages] : baseline.managed_pages) {
    file << place.first << ' ' << place.second << ' ' << pages << '\n';
  }
  file.close();
  if (!file) {
    die("can't write %s", path);
  }
}

Baseline load(const char* path) {
  std::ifstream file(path);
  Baseline baseline;
  if (!(file >> baseline.memtotal_kib)) {
    die("%s is no baseline: run 'kpf save' first", path);
  }
  int node = 0;
  std::string zone;
  std::uint64_t pages = 0;
  while (file >> node >> zone >> pages) {
    baseline.managed_pages[{node, zone}] = pages;
  }
  return baseline;
}

void check_records(const std::vector<memplug_range>& ranges, const memplug_info& info,
                   const std::vector<memplug_node>& nodes) {
  std::uint64_t end_of_last = 0;
  std::uint64_t low = 0;
  std::map<int, std::uint64_t> by_node;
  const std::vector<lab::Zone> zones = lab::takeable_zones();
  for (const memplug_range& range : ranges) {
    const auto start = static_cast<unsigned long long>(range.start);
    if (range.length == 0 || range.start % info.out_subblock_size != 0 ||
        range.length % info.out_subblock_size != 0) {
      die("range at %#llx is not made of whole subblocks", start);
    }
    if (range.start < end_of_last) {
      die("range at %#llx overlaps the one before it, or is out of order", start);
    }
    end_of_last = range.start + range.length;
    by_node[range.node] += range.length;
    const bool is_low = zone_of(zones, range).name != "Normal";
    if (is_low != ((range.flags & MEMPLUG_RANGE_LOW) != 0)) {
      die("range at %#llx is %s ZONE_NORMAL and not said to be", start, is_low ? "below" : "of");
    }
    low += is_low ? range.length : 0;
  }
  if (low != info.out_low_unplugged_size) {
    die("LIST has %llu bytes below ZONE_NORMAL, INFO %llu", static_cast<unsigned long long>(low),
        static_cast<unsigned long long>(info.out_low_unplugged_size));
  }
  std::uint64_t unplugged = 0;
  std::uint64_t managed = 0;
  for (const memplug_node& node : nodes) {
    unplugged += node.unplugged_size;
    managed += node.managed_size;
    if (by_node[node.node] != node.unplugged_size) {
      die("node %d: LIST has %llu bytes, NODES %llu", node.node,
          static_cast<unsigned long long>(by_node[node.node]),
          static_cast<unsigned long long>(node.unplugged_size));
    }
    by_node.erase(node.node);
  }
  if (!by_node.empty() && by_node.begin()->second != 0) {
    die("LIST has ranges of node %d, which NODES does not know", by_node.begin()->first);
  }
  if (unplugged != info.out_unplugged_size || managed != info.out_managed_size) {
    die("the nodes do not add up to what INFO says");
  }
}

std::uint64_t count_free(std::uint64_t pfn, std::uint64_t nr) {
  const std::vector<std::uint64_t> flags = lab::page_flags(pfn, nr);
  return static_cast<std::uint64_t>(std::count_if(
      flags.begin(), flags.end(), [](std::uint64_t page) { return page >> KPF_BUDDY & 1; }));
}

// Pages with KPF_OFFLINE.
struct Offline {
  std::uint64_t listed = 0;
  std::uint64_t others = 0;  // in no listed range
  std::uint64_t first_other = 0;
};

// A listed page that is not offline shows as a count that is too small.
Offline count_offline(const std::vector<memplug_range>& ranges) {
  const int fd = ::open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    die("/proc/kpageflags: %s", std::strerror(errno));
  }
  std::vector<std::uint64_t> flags(std::size_t{1} << 16);
  std::uint64_t pfn = 0;
  Offline offline;
  auto range = ranges.begin();
  for (;;) {
    const ssize_t got = ::pread(fd, flags.data(), flags.size() * sizeof(flags[0]),
                                static_cast<off_t>(pfn * sizeof(flags[0])));
    if (got < 0) {
      die("/proc/kpageflags at page frame %#llx: %s", static_cast<unsigned long long>(pfn),
          std::strerror(errno));
    }
    if (got == 0) {
      break;
    }
    const std::size_t entries = static_cast<std::size_t>(got) / sizeof(flags[0]);
    for (std::size_t i = 0; i < entries; ++i, ++pfn) {
      if ((flags[i] >> KPF_OFFLINE & 1) == 0) {
        continue;
      }
      const std::uint64_t address = pfn * page_size;
      while (range != ranges.end() && range->start + range->length <= address) {
        ++range;
      }
      if (range != ranges.end() && address >= range->start) {
        ++offline.listed;
      } else if (offline.others++ == 0) {
        offline.first_other = pfn;
      }
    }
  }
  ::close(fd);
  return offline;
}

void check_baseline(const Baseline& now, const Baseline& before) {
  if (now.memtotal_kib != before.memtotal_kib) {
    die("MemTotal + unplugged is %llu kB, it was %llu kB",
        static_cast<unsigned long long>(now.memtotal_kib),
        static_cast<unsigned long long>(before.memtotal_kib));
  }
  for (const auto& [place, pages] : before.managed_pages) {
    const auto found = now.managed_pages.find(place);
    if (found == now.managed_pages.end() || found->second != pages) {
      die("node %d, zone %s: managed + unplugged is not the %llu pages that it was", place.first,
          place.second.c_str(), static_cast<unsigned long long>(pages));
    }
  }
  if (now != before) {
    die("a zone appeared since the baseline");
  }
}

void check_offline(const Offline& offline, const memplug_info& info) {
  if (offline.listed * page_size != info.out_unplugged_size) {
    die("%llu pages have KPF_OFFLINE, %llu are unplugged",
        static_cast<unsigned long long>(offline.listed),
        static_cast<unsigned long long>(info.out_unplugged_size / page_size));
  }
}

void check_generation(const lab::Device& device, const memplug_info& info) {
  if (device.info().out_generation != info.out_generation) {
    die("something changed while it was counted: nothing was proven");
  }
}

// What the device lists, which is in order and agrees with what else it says.
std::vector<memplug_range> sound_list(const lab::Device& device, const memplug_info& info) {
  std::vector<memplug_range> ranges = device.list();
  check_records(ranges, info, device.nodes());
  if (lab::total_length(ranges) != info.out_unplugged_size) {
    die("LIST has %llu bytes, INFO %llu",
        static_cast<unsigned long long>(lab::total_length(ranges)),
        static_cast<unsigned long long>(info.out_unplugged_size));
  }
  return ranges;
}

void others() {
  const lab::Device device(O_RDONLY);
  const memplug_info info = device.info();
  const Offline offline = count_offline(sound_list(device, info));
  check_offline(offline, info);
  check_generation(device, info);
  std::printf("%llu\n", static_cast<unsigned long long>(offline.others) * page_size);
}

void check(const char* path) {
  const lab::Device device(O_RDONLY);
  const memplug_info info = device.info();
  const std::vector<memplug_range> ranges = sound_list(device, info);
  const Offline offline = count_offline(ranges);
  if (offline.others != 0) {
    die("page frame %#llx has KPF_OFFLINE and is in no listed range",
        static_cast<unsigned long long>(offline.first_other));
  }
  check_offline(offline, info);
  check_baseline(measure(device), load(path));
  check_generation(device, info);
  std::printf("kpf: unplugged=%llu ranges=%zu offline_pages=%llu memtotal_kb=%llu agree\n",
              static_cast<unsigned long long>(info.out_unplugged_size), ranges.size(),
              static_cast<unsigned long long>(offline.listed),
              static_cast<unsigned long long>(lab::memtotal_kib()));
}

constexpr const char* usage =
    "usage: kpf save|check FILE, kpf left BYTES, kpf free PFN NR, or kpf others\n";

}  // namespace

int main(int argc, char** argv) {
  const std::string verb = argc > 1 ? argv[1] : "";
  if (verb == "left" && argc == 3) {
    const std::uint64_t block_bytes = std::strtoull(argv[2], nullptr, 0);
    if (block_bytes == 0 || block_bytes % page_size != 0) {
      die("not whole pages: %s", argv[2]);
    }
    std::printf("%llu\n", static_cast<unsigned long long>(lab::claimable_left(block_bytes)));
    return 0;
  }
  if (verb == "free" && argc == 4) {
    std::printf("%llu\n",
                static_cast<unsigned long long>(count_free(std::strtoull(argv[2], nullptr, 0),
                                                           std::strtoull(argv[3], nullptr, 0))));
    return 0;
  }
  if (verb == "others" && argc == 2) {
    others();
    return 0;
  }
  if (argc != 3) {
    std::fputs(usage, stderr);
    return 2;
  }
  if (verb == "save") {
    save(argv[2], measure(lab::Device(O_RDONLY)));
  } else if (verb == "check") {
    check(argv[2]);
  } else {
    std::fputs(usage, stderr);
    return 2;
  }
  return 0;
}
